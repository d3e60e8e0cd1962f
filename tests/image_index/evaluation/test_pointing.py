"""Where a map is hottest, and whether that is in the box."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.image_index.encoding.encoder import Encoder
from services.image_index.evaluation.pointing import ALL, DrawnBox, hottest_point, pointing_game, read_boxes
from services.image_index.examples.sources import part_of
from services.image_index.parts import open_model
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

WEIGHTS = REPOSITORY / "services" / "image_index" / "weights"


def test_the_hottest_point_is_in_the_hottest_cell() -> None:
    grid = np.zeros((4, 4), dtype=np.float16)
    grid[3, 1] = 2.0
    x, y = hottest_point(grid)
    assert 0.25 < x < 0.5
    assert y > 0.75


def test_a_box_holds_what_lies_within_its_corners() -> None:
    box = DrawnBox("a.png", "Edema", (0.1, 0.2, 0.3, 0.4))
    assert box.holds(0.2, 0.3)
    assert not box.holds(0.2, 0.5)
    assert not box.holds(0.05, 0.3)


def test_boxes_are_read_as_shares_of_the_picture_for_each_of_their_labels(tmp_path: Path) -> None:
    Image.new("L", (200, 100)).save(tmp_path / "a.png")
    (tmp_path / "boxes.csv").write_text(
        "image,label,xmin,ymin,xmax,ymax\na.png,Infiltrate,20,10,40,30\na.png,Pneumonia,0,0,200,50\n", encoding="utf-8"
    )
    boxes = read_boxes(tmp_path)
    assert [box.label for box in boxes] == ["Lung Opacity", "Pneumonia", "Lung Opacity"]
    assert boxes[0].corners == pytest.approx((0.1, 0.1, 0.2, 0.3))


def _drawn(folder: Path, boxes: str) -> Encoder:
    for name in ("a", "b"):
        Image.new("L", (100, 100), 90).save(folder / f"{name}.png")
    (folder / "labels.csv").write_text(
        f"image,findings,patient_id\na.png,Effusion,{_patient('test')}\nb.png,Effusion,{_patient('train')}\n",
        encoding="utf-8",
    )
    (folder / "boxes.csv").write_text("image,label,xmin,ymin,xmax,ymax\n" + boxes, encoding="utf-8")
    return open_model(WEIGHTS, device="cpu")


def _patient(part: str) -> int:
    return next(number for number in range(1000) if part_of(f"nih:{number}") == part)


def test_the_guesses_are_the_centre_and_the_middle_of_the_training_patients_boxes(tmp_path: Path) -> None:
    encoder = _drawn(tmp_path, "a.png,Effusion,0,70,30,100\nb.png,Effusion,0,80,20,100\n")
    game = pointing_game(encoder, tmp_path)
    assert set(game) == {"Pleural Effusion", ALL}
    assert game[ALL] == game["Pleural Effusion"]
    assert (game[ALL].boxes, game[ALL].centre, game[ALL].mean_box) == (1, 0.0, 1.0)
    with pytest.raises(ValueError, match="no box of a validation patient"):
        pointing_game(encoder, tmp_path, "validation")


def test_a_box_over_the_whole_picture_is_always_hit(tmp_path: Path) -> None:
    game = pointing_game(_drawn(tmp_path, "a.png,Effusion,0,0,100,100\n"), tmp_path)
    assert (game[ALL].map, game[ALL].centre, game[ALL].mean_box) == (1.0, 1.0, 1.0)


@pytest.mark.real_data
def test_maps_point_better_than_both_guesses(real_data: Path) -> None:
    found = pointing_game(open_model(WEIGHTS, device="cpu"), real_data / "nih_chestxray14_boxes")[ALL]
    assert found.boxes > 50
    assert found.map > max(found.centre, found.mean_box)
