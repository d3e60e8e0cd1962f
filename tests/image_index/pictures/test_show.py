import io

import numpy as np
from PIL import Image

from services.image_index.pictures.show import heatmap_over, thumbnail_of
from tests.image_index.pictures.dicom.made_dicom import made_picture

GREY = np.rint(made_picture(600, 400) * 255).astype(np.uint8)


def test_a_thumbnail_keeps_the_aspect_and_is_small() -> None:
    thumbnail = thumbnail_of(GREY)
    picture = Image.open(io.BytesIO(thumbnail))

    assert (picture.format, picture.mode, picture.size) == ("JPEG", "L", (171, 256))
    assert len(thumbnail) < 20_000


def test_a_small_picture_is_not_blown_up() -> None:
    assert Image.open(io.BytesIO(thumbnail_of(GREY[:40, :30]))).size == (30, 40)


def test_a_heat_map_colours_the_place_of_its_maximum_and_leaves_the_rest_grey() -> None:
    grid = np.zeros((7, 7), dtype=np.float16)
    grid[1, 5] = 3
    picture = Image.open(io.BytesIO(heatmap_over(thumbnail_of(GREY), grid)))
    pixels = np.asarray(picture).astype(int)
    colour = pixels.max(axis=2) - pixels.min(axis=2)
    row, column = np.unravel_index(np.argmax(colour), colour.shape)

    assert (picture.format, picture.size) == ("PNG", (171, 256))
    assert 256 * 0.5 / 7 < row < 256 * 2.5 / 7
    assert 171 * 4.5 / 7 < column < 171 * 6.5 / 7
    assert colour[200:, :80].max() < 10


def test_a_flat_grid_colours_nothing() -> None:
    thumbnail = thumbnail_of(GREY)
    picture = Image.open(io.BytesIO(heatmap_over(thumbnail, np.full((4, 4), -2, dtype=np.float16))))

    assert np.array_equal(np.asarray(picture)[:, :, 0], np.asarray(Image.open(io.BytesIO(thumbnail))))
