from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from services.image_index.evaluation.retrieval.predictions import read_predictions, write_predictions
from shared.labels import LABELS


def table(**columns):
    rows = {"path_to_image": ["train/patient00001/study1/view1_frontal.jpg", "train/patient00002/study1/a.jpg"]}
    rows |= dict.fromkeys(LABELS, 0) | {f"prob_{label}": [0.2, 0.7] for label in LABELS}
    return pd.DataFrame(rows | columns)


def written(tmp_path, **columns):
    path = tmp_path / "predictions.csv"
    table(**columns).to_csv(path, index=False)
    return path


def test_uncertain_and_blank_labels_count_as_not_present(tmp_path):
    found = read_predictions(written(tmp_path, Edema=[-1, 1], Fracture=[None, 1.0]))
    assert found.truth[:, LABELS.index("Edema")].tolist() == [0, 1]
    assert found.truth[:, LABELS.index("Fracture")].tolist() == [0, 1]


def test_without_decisions_a_label_is_predicted_from_one_half_on(tmp_path):
    found = read_predictions(written(tmp_path, prob_Edema=[0.5, 0.499]))
    assert found.predicted[:, LABELS.index("Edema")].tolist() == [1, 0]


def test_decisions_of_the_table_are_taken_as_they_are(tmp_path):
    decisions = {f"pred_{label}": [1, 0] for label in LABELS}
    assert read_predictions(written(tmp_path, **decisions)).predicted.tolist() == [[1] * 14, [0] * 14]


@pytest.mark.parametrize(
    ("path", "patient"),
    [
        ("train/patient19407/study1/view1_frontal.jpg", "patient19407"),
        ("train_patient19407_study1_view1_frontal.png", "patient19407"),
        ("00000013_005.png", "00000013_005.png"),
    ],
)
def test_the_patient_is_read_from_the_path(tmp_path, path, patient):
    table = written(tmp_path, path_to_image=[path, "other.png"])
    assert read_predictions(table).patients.tolist() == [patient, "other.png"]


def test_missing_columns_are_named(tmp_path):
    path = tmp_path / "predictions.csv"
    table().drop(columns=["prob_Edema"]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="prob_Edema"):
        read_predictions(path)


@pytest.mark.parametrize("wrong", [1.2, -0.1, None])
def test_what_is_no_probability_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"line \d: prob_\w+ is "):
        read_predictions(written(tmp_path, prob_Edema=[0.5, wrong]))


def test_predictions_survive_their_file(tmp_path):
    found = read_predictions(written(tmp_path, Edema=[0, 1]))
    write_predictions(tmp_path / "again.csv", found)
    again = read_predictions(tmp_path / "again.csv")
    np.testing.assert_array_equal(again.truth, found.truth)
    np.testing.assert_array_equal(again.probabilities, found.probabilities)
    assert not again.calibrated
    assert again.patients.tolist() == ["patient00001", "patient00002"]


def test_predictions_say_whether_they_are_calibrated(tmp_path):
    write_predictions(tmp_path / "again.csv", replace(read_predictions(written(tmp_path)), calibrated=True))
    assert read_predictions(tmp_path / "again.csv").calibrated


def test_some_images_of_predictions(tmp_path):
    found = read_predictions(written(tmp_path, Edema=[0, 1])).where(np.array([False, True]))
    assert found.paths == ["train/patient00002/study1/a.jpg"]
    assert found.patients.tolist() == ["patient00002"]
    assert found.truth.sum() == found.truth[0, LABELS.index("Edema")] == 1
    np.testing.assert_array_equal(found.probabilities, np.full((1, 14), 0.7))
    np.testing.assert_array_equal(found.predicted, np.ones((1, 14)))


def test_predictions_say_which_labels_no_patient_taught_their_encoder(tmp_path):
    doubtful = replace(read_predictions(written(tmp_path)), unproven=frozenset({"Fracture", "Support Devices"}))
    write_predictions(tmp_path / "again.csv", doubtful)
    trust = read_predictions(tmp_path / "again.csv").trust()
    assert [label for label, proven in zip(LABELS, trust.proven, strict=True) if not proven] == [
        "Fracture",
        "Support Devices",
    ]
