"""Phantoms are known by construction: the same seed is the same patient, and a finding is where its box says."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.image_index.examples.phantoms import draw_labels, make_phantom, write_gallery
from shared.labels import LABELS, LabelName

FINDINGS = [label for label in LABELS if label != "No Finding"]


def test_the_same_seed_is_the_same_picture() -> None:
    first, second = make_phantom(11, size=128), make_phantom(11, size=128)
    assert np.array_equal(first.pixels, second.pixels)
    assert (first.labels, first.impression, first.boxes) == (second.labels, second.impression, second.boxes)
    assert not np.array_equal(first.pixels, make_phantom(12, size=128).pixels)


@pytest.mark.parametrize("label", FINDINGS)
def test_a_finding_changes_the_picture_where_its_box_says(label: LabelName) -> None:
    for seed in range(3):
        normal, ill = (make_phantom(seed, [name], size=192) for name in ("No Finding", label))
        change = np.abs(normal.pixels.astype(float) - ill.pixels.astype(float))
        x0, y0, x1, y1 = ill.boxes[label]
        inside = change[y0:y1, x0:x1]
        outside = change.sum() - inside.sum()
        outside_area = change.size - inside.size
        assert inside.mean() > 1.0  # grey levels of 255, over the whole box: a wire covers little of its own
        assert inside.max() > 20.0
        assert inside.mean() > 2.0 * outside / outside_area


@pytest.mark.parametrize("label", LABELS)
def test_the_patient_does_not_depend_on_the_finding(label: LabelName) -> None:
    ill, normal = make_phantom(5, [label], size=64), make_phantom(5, ["No Finding"], size=64)
    assert (ill.sex, ill.age_years, ill.view_position) == (normal.sex, normal.age_years, normal.view_position)


@pytest.mark.parametrize(
    ("label", "word"),
    [("Edema", "edema"), ("Pneumothorax", "pneumothorax"), ("Fracture", "fracture"), ("Support Devices", "in ")],
)
def test_the_impression_names_the_finding(label: LabelName, word: str) -> None:
    assert word in make_phantom(3, [label], size=64).impression.lower()


def test_contradictory_or_unknown_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="No Finding"):
        make_phantom(0, ["No Finding", "Edema"])
    with pytest.raises(ValueError, match="Cough"):
        make_phantom(0, ["Cough"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="none"):
        make_phantom(0, [])


def test_labels_are_drawn_as_often_as_reports_have_them() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_labels(rng) for _ in range(4000)]
    share = {label: np.mean([label in labels for labels in drawn]) for label in LABELS}
    assert 0.2 < share["No Finding"] < 0.32
    assert share["Pleural Effusion"] > share["Cardiomegaly"] > share["Pleural Other"] > 0.01
    balanced = [draw_labels(rng, balance=1.0) for _ in range(2000)]
    assert min(np.mean([label in labels for labels in balanced]) for label in LABELS) > 0.05


def test_a_gallery_has_chexperts_layout(tmp_path: Path) -> None:
    seen: list[int] = []
    table = write_gallery(tmp_path, 6, seed=4, size=96, on_picture=seen.append)
    assert seen == [1, 2, 3, 4, 5, 6]
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *LABELS, "impression"]
    assert [row["Path"] for row in rows][:2] == [f"patient{n:05d}/study1/view1_frontal.png" for n in (1, 2)]
    for row in rows:
        assert any(row[label] == "1.0" for label in LABELS)
        assert row["impression"]
        with Image.open(tmp_path / row["Path"]) as picture:
            assert (picture.size, picture.mode) == ((96, 96), "L")


def test_the_same_gallery_seed_gives_the_same_files(tmp_path: Path) -> None:
    tables = [write_gallery(tmp_path / name, 2, seed=9, size=64) for name in ("a", "b")]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    pictures = [(t.parent / "patient00002/study1/view1_frontal.png").read_bytes() for t in tables]
    assert pictures[0] == pictures[1]
