from pathlib import Path

import numpy as np
import pytest

from services.image_index.parts import open_model
from services.image_index.settings import BUNDLED_MODEL as IMAGE_MODEL
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import BUNDLED_MODEL as TEXT_MODEL

pytestmark = pytest.mark.benchmark

IMPRESSIONS = [
    f"{size} left pleural effusion with adjacent atelectasis. {heart} No pneumothorax or focal consolidation."
    for size in ("Small", "Moderate", "Large", "Trace")
    for heart in ("Heart size is normal.", "Mild cardiomegaly is unchanged.", "Cardiomegaly.", "Enlarged heart.")
]


def without_graph(folder: Path, target: Path) -> Path:
    """The same model folder, but for torch: a session takes the checkpoint where there is no graph."""
    target.mkdir()
    for file in folder.iterdir():
        if file.name != "model.onnx":
            (target / file.name).symlink_to(file)
    return target


def test_batched_impressions_against_one_by_one(side_by_side):
    classifier = TextClassifier.open(TEXT_MODEL, device="cpu")
    readings = [classifier.read(text) for text in IMPRESSIONS]
    for reading, batched in zip(readings, classifier.classify(readings), strict=True):
        for name, alone in classifier.classify([reading])[0].labels.items():
            assert batched.labels[name].probability == pytest.approx(alone.probability, abs=1e-5)
    side_by_side(
        "16 impressions: one by one / in one batch",
        lambda: classifier.classify(readings),
        lambda: [classifier.classify([reading]) for reading in readings],
    )


def test_text_onnx_runtime_against_torch(side_by_side, tmp_path):
    onnx = TextClassifier.open(TEXT_MODEL, device="cpu")
    torch = TextClassifier.open(without_graph(TEXT_MODEL, tmp_path / "torch"), device="cpu")
    reading = onnx.read(IMPRESSIONS[0])
    for name, result in onnx.classify([reading])[0].labels.items():
        assert torch.classify([reading])[0].labels[name].probability == pytest.approx(result.probability, abs=1e-4)
    side_by_side(
        "one impression: torch / ONNX Runtime", lambda: onnx.classify([reading]), lambda: torch.classify([reading])
    )


def test_image_onnx_runtime_against_torch(side_by_side, tmp_path):
    onnx = open_model(IMAGE_MODEL, device="cpu")
    torch = open_model(without_graph(IMAGE_MODEL, tmp_path / "torch"), device="cpu")
    squares = [onnx.prepare(np.random.default_rng(seed).integers(0, 255, (512, 512), np.uint8)) for seed in range(8)]
    for mine, theirs in zip(onnx.encode(squares), torch.encode(squares), strict=True):
        np.testing.assert_allclose(mine.probabilities, theirs.probabilities, atol=1e-4)
    side_by_side("8 radiographs: torch / ONNX Runtime", lambda: onnx.encode(squares), lambda: torch.encode(squares))
