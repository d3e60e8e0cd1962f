"""What the weights in the repository can do, on phantoms, whose truth is known, and on patients they never saw."""

from pathlib import Path

import pytest

from services.image_index.encoding.encoder import Encoder
from services.image_index.encoding.model_folder import read_model_folder
from services.image_index.evaluation.labels import evaluate_images, evaluate_table
from services.image_index.examples.datasets import LabelledImages, load_images
from services.image_index.examples.phantoms import write_gallery
from services.image_index.examples.sources import name_of, part_of, phantom_images, rows_of
from services.image_index.parts import open_model
from shared.labels import LABELS
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

WEIGHTS = REPOSITORY / "services" / "image_index" / "weights"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_model(WEIGHTS, device="cpu")


@pytest.fixture(scope="module")
def side() -> int:
    return read_model_folder(WEIGHTS).input_size


def test_the_bundled_weights_are_small_and_honest() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) < 50e6
    support = read_model_folder(WEIGHTS).label_support
    assert {label for label, kind in support.items() if kind != "real"} == {
        "Enlarged Cardiomediastinum",
        "Support Devices",
    }


def test_phantom_findings_are_told_apart_far_better_than_by_chance(encoder: Encoder, side: int) -> None:
    images = phantom_images(160, seed=1234, size=side, balance=1.0, workers=1)
    report = evaluate_images(encoder, images, rounds=20)
    assert set(report["labels"]) == set(LABELS)
    assert report["macro"]["auroc"] > 0.85
    assert min(figures["auroc"] for figures in report["labels"].values()) > 0.65


def test_a_gallerys_table_can_be_judged(tmp_path: Path) -> None:
    table = write_gallery(tmp_path, 12, seed=2, size=128)
    report = evaluate_table(open_model(WEIGHTS, device="cpu"), table, tmp_path)
    assert report["macro"]["images"] == 12
    for figures in report["labels"].values():
        assert 0.0 <= figures["auroc_low"] <= figures["auroc_high"] <= 1.0
        assert 0 < figures["positives"] < 12


def _test_patients(folder: Path, side: int) -> LabelledImages:
    rows = [row for row in rows_of(folder) if part_of(row.patient) == "test"]
    return load_images(rows, side, name_of(folder))


@pytest.mark.real_data
def test_findings_of_unseen_patients_beat_the_ridge_baseline(encoder: Encoder, side: int, real_data: Path) -> None:
    report = evaluate_images(
        encoder, _test_patients(real_data / "nih_chestxray14_128px", side), min_positives=10, rounds=20
    )
    assert report["macro"]["images"] > 1000
    assert report["macro"]["auroc"] > 0.745
    # Ridge on thumbnails, a mean over the labels it was reported for.
    ridge = {
        "Atelectasis": 0.68,
        "Consolidation": 0.63,
        "Pleural Effusion": 0.70,
        "Pneumothorax": 0.63,
        "No Finding": 0.66,
    }
    ours = [report["labels"][label]["auroc"] for label in ridge]
    assert sum(ours) / len(ours) > sum(ridge.values()) / len(ridge) + 0.03
