"""Whose labels a training run learns from, and by whose its test patients are judged."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.image_index.examples.readers import read_readers
from services.image_index.examples.sources import part_of
from services.image_index.training.pipeline import gather, gather_read
from shared.labels import LABELS

pytestmark = pytest.mark.slow

FRACTURE, EDEMA = LABELS.index("Fracture"), LABELS.index("Edema")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twenty patients with edema, by what was mined."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(20):
        Image.new("L", (16, 16), 10 * number).save(folder / f"{number}.png")
    lines = "".join(f"{number}.png,Edema,{number}\n" for number in range(20))
    (folder / "labels.csv").write_text("image,findings,patient_id\n" + lines, encoding="utf-8")
    return folder


def _readers(folder: Path, numbers: range) -> Path:
    table = folder / "panel.csv"
    lines = "".join(f"{number}.jpg,1,0\n" for number in numbers)
    table.write_text("image,Fracture,Edema\n" + lines, encoding="utf-8")
    return table


def test_readers_teach_and_the_test_part_is_judged_by_each_apart(source: Path, tmp_path: Path) -> None:
    parts = gather([source], 16, 0, readers=read_readers([_readers(tmp_path, range(20))]))

    for learned in (parts.train, parts.validation):
        assert (learned.targets[:, FRACTURE] == 1).all()
        assert (learned.targets[:, EDEMA] == 0).all()
        assert learned.known[:, [FRACTURE, EDEMA]].all()
    assert not parts.test.known[:, FRACTURE].any()
    assert (parts.test.targets[:, EDEMA] == 1).all()
    assert parts.read is not None
    assert sorted(parts.read.patients) == sorted(parts.test.patients)
    assert {LABELS[column] for column in np.flatnonzero(parts.read.known.any(axis=0))} == {
        "Edema",
        "Fracture",
        "No Finding",
    }
    assert parts.readers == ["panel.csv"]


def test_only_pictures_that_were_read_are_gathered_by_their_patients_part(source: Path, tmp_path: Path) -> None:
    parts = gather_read([source], 16, read_readers([_readers(tmp_path, range(3, 15))]))
    expected = dict.fromkeys(("train", "validation", "test"), 0)
    for number in range(3, 15):
        expected[part_of(f"nih:{number}")] += 1
    assert {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)} == expected


def test_phantoms_join_the_training_part_of_what_was_read(source: Path, tmp_path: Path) -> None:
    readers = read_readers([_readers(tmp_path, range(20))])
    alone, joined = (gather_read([source], 16, readers, phantoms=count) for count in (0, 3))
    assert len(joined.train) == len(alone.train) + 3
    assert list(joined.train.sources[-3:]) == ["phantoms"] * 3
    assert "phantoms" not in {*joined.validation.sources, *joined.test.sources}


def test_readers_of_other_pictures_are_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name none of the pictures"):
        gather([source], 16, 0, readers=read_readers([_readers(tmp_path, range(50, 60))]))
