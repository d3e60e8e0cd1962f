import json
from pathlib import Path

import numpy as np
import pytest

from services.image_index.encoding.encoder import Encoder
from services.image_index.parts import open_model
from services.inference.model_files import ModelLoadError
from shared.labels import LABELS
from tests.image_index.encoding.tiny_model import picture_of, write_tiny_model


def sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


def test_probabilities_are_the_calibrated_logits_by_label(encoder: Encoder) -> None:
    (encoding,) = encoder.encode([encoder.prepare(picture_of("Edema", "Pneumothorax", size=16))])

    shown, not_shown = sigmoid(8 * 0.5), sigmoid(8 * (20 / 255 - 0.5))
    expected = [shown if name in ("Edema", "Pneumothorax") else not_shown for name in LABELS]
    assert encoding.probabilities.dtype == np.float32
    assert encoding.probabilities.tolist() == pytest.approx(expected, abs=1e-4)


def test_the_grid_of_a_label_is_highest_where_the_label_was_seen(encoder: Encoder) -> None:
    (encoding,) = encoder.encode([encoder.prepare(picture_of("Edema"))])
    place = LABELS.index("Edema")

    assert encoding.cam.shape == (14, 4, 4)
    assert np.argmax(encoding.cam[place]) == place


def test_a_batch_gives_what_each_picture_gives_alone(encoder: Encoder) -> None:
    squares = [encoder.prepare(picture_of(name, size=64 + 16 * i)) for i, name in enumerate(LABELS)]
    together = encoder.encode(squares)

    for square, encoding in zip(squares, together, strict=True):
        (alone,) = encoder.encode([square])
        assert np.array_equal(alone.probabilities, encoding.probabilities)
        assert np.array_equal(alone.cam, encoding.cam)


def test_outputs_in_another_order_are_read_by_name(tmp_path: Path, encoder: Encoder) -> None:
    folder = write_tiny_model(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["labels"] = list(reversed(config["labels"]))
    (folder / "config.json").write_text(json.dumps(config))
    turned = open_model(folder, device="cpu", threads=1)

    (ours,) = encoder.encode([encoder.prepare(picture_of("Atelectasis"))])
    (theirs,) = turned.encode([turned.prepare(picture_of("Atelectasis"))])
    assert theirs.probabilities.tolist() == ours.probabilities[::-1].tolist()


def test_details_say_what_is_needed_to_judge_an_answer(encoder: Encoder) -> None:
    details = encoder.details

    assert (details.name, details.version, details.engine, details.device) == ("tiny", "1", "onnxruntime", "cpu")
    assert len(details.weights_sha256) == 64
    assert details.thresholds == dict.fromkeys(LABELS, 0.5)
    assert details.label_support == dict.fromkeys(LABELS, "real")
    assert details.unproven == []
    assert "Not a medical device" in details.intended_use


def test_labels_learned_from_no_patient_are_called_unproven(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["label_support"] |= {"Fracture": "phantom", "Edema": "none", "Pneumonia": "unstated"}
    (folder / "config.json").write_text(json.dumps(config))
    encoder = open_model(folder, device="cpu", threads=1)

    assert encoder.details.unproven == ["Edema", "Fracture"]
    assert [label for label, proven in zip(LABELS, encoder.proven, strict=True) if not proven] == ["Edema", "Fracture"]


def test_a_folder_that_states_no_support_is_not_called_unproven(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    del config["label_support"]
    (folder / "config.json").write_text(json.dumps(config))
    encoder = open_model(folder, device="cpu", threads=1)

    assert encoder.details.unproven == []
    assert encoder.proven.all()


@pytest.mark.parametrize("file", ["config.json", "calibration.json", "thresholds.json", "model.onnx"])
def test_a_folder_that_lacks_a_file_is_refused_by_its_name(tmp_path: Path, file: str) -> None:
    (write_tiny_model(tmp_path) / file).unlink()

    with pytest.raises(ModelLoadError, match=file):
        open_model(tmp_path, device="cpu")


@pytest.mark.parametrize("file", ["config.json", "calibration.json", "thresholds.json"])
@pytest.mark.parametrize("content", [b"[1]", b"3", b"{", b'{"name": "\xe9"}', b"{}"])
def test_a_damaged_file_of_a_folder_is_told_in_one_line(tmp_path: Path, file: str, content: bytes) -> None:
    (write_tiny_model(tmp_path) / file).write_bytes(content)

    with pytest.raises(ModelLoadError, match=str(tmp_path)) as refused:
        open_model(tmp_path, device="cpu")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("config.json", "labels", ["Edema"]),
        ("config.json", "std", [0.0]),
        ("config.json", "mean", [0.5, 0.5]),
        ("thresholds.json", "Edema", 2),
        ("calibration.json", "Edema", {"slope": "steep"}),
    ],
)
def test_a_folder_with_a_wrong_value_is_refused(tmp_path: Path, file: str, key: str, value: object) -> None:
    path = write_tiny_model(tmp_path) / file
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))

    with pytest.raises(ModelLoadError, match="not valid"):
        open_model(tmp_path, device="cpu")
