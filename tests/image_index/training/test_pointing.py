"""Where a map is hottest, and whether that is in the box."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.image_index.encoder import Encoder
from services.image_index.model_folder import read_model_folder
from services.image_index.training.pointing import DrawnBox, hottest_point, pointing_game, read_boxes

WEIGHTS = Path(__file__).parents[3] / "services" / "image_index" / "weights"


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


@pytest.mark.real_data
def test_maps_point_better_than_the_centre_of_the_picture(real_data: Path) -> None:
    side = read_model_folder(WEIGHTS).input_size
    game = pointing_game(Encoder.open(WEIGHTS, device="cpu"), real_data / "nih_chestxray14_boxes", side)
    boxes = sum(figures.boxes for figures in game.values())
    by_map = sum(figures.map * figures.boxes for figures in game.values()) / boxes
    by_centre = sum(figures.centre * figures.boxes for figures in game.values()) / boxes
    assert boxes > 50
    assert by_map > by_centre
