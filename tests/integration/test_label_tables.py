"""A table of labels that one service writes is a training table of both."""

import pytest

from services.image_index.examples.datasets import read_rows
from services.text_classifier.labelling.columns import LabelColumns, as_csv
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import BUNDLED_MODEL
from shared.labels import LABELS, State

REPORTS = {
    "train/patient1/study1/view1_frontal.jpg": "Mild cardiomegaly. No pneumothorax.",
    "train/patient2/study1/view1_frontal.jpg": "Possible pneumonia.",
    "train/patient3/study1/view1_frontal.jpg": "See above.",
    "train/patient4/study1/view1_frontal.jpg": "Derrame pleural izquierdo de pequeña cuantía, sin neumotórax.",
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    model = TextClassifier.open(BUNDLED_MODEL, device="cpu", threads=1)
    columns = LabelColumns(["Path", "report"], "report", model.info.weights_sha256, keep_text=True)
    results = model.classify([model.read(text) for text in REPORTS.values()])
    rows = [columns.row(cells, result) for cells, result in zip(REPORTS.items(), results, strict=True)]
    file = tmp_path_factory.mktemp("table") / "labels.csv"
    file.write_bytes(as_csv([columns.header, *rows]))
    return file


def test_the_images_training_takes_its_states_as_chexperts_and_leaves_out_what_says_nothing(table):
    first, second = read_rows(table, table.parent)
    assert (first.patient, first.labels["Cardiomegaly"], first.labels["Pneumothorax"]) == (
        "chexpert:patient1",
        True,
        False,
    )
    assert "Pneumonia" not in second.labels  # uncertain, so unknown unless a policy says otherwise


def test_the_images_training_learns_its_probabilities_and_none_of_a_doubt(table):
    first, second = read_rows(table, table.parent)
    assert first.probabilities.keys() == set(LABELS)
    assert first.probabilities["Cardiomegaly"] > 0.9
    assert first.probabilities["Pneumothorax"] < 0.1
    assert second.probabilities.keys() == set(LABELS) - {"Pneumonia"}


def test_the_texts_training_takes_its_states_where_the_text_was_kept(table):
    pytest.importorskip("pandas")
    from services.text_classifier.examples.labelled import STATES, read_csv

    first, second, *_others = read_csv(table, "report")
    assert first.text == "Mild cardiomegaly. No pneumothorax."
    assert STATES[first.states[LABELS.index("Cardiomegaly")]] is State.PRESENT
    assert STATES[first.states[LABELS.index("Pneumothorax")]] is State.ABSENT
    assert STATES[second.states[LABELS.index("Pneumonia")]] is State.UNCERTAIN
