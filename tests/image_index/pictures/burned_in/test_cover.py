import numpy as np

from services.image_index.pictures.burned_in.cover import covered
from services.image_index.pictures.burned_in.reader import Region


def test_a_region_and_its_margin_get_the_grey_around_them_and_nothing_else_changes() -> None:
    grey = np.full((100, 200), 60, dtype=np.uint8)
    grey[20:30, 40:120] = 255  # the region: letters ...
    grey[18:20, 40:120] = 255  # ... that reach a little beyond it
    grey[90:, :] = 200

    result = covered(grey, [Region(0.2, 0.2, 0.6, 0.3)])

    assert set(np.unique(result[:90])) == {60}
    assert (result[90:] == 200).all()
    assert grey.max() == 255  # a copy


def test_a_region_that_is_the_whole_picture_leaves_nothing_of_it() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)

    assert not covered(grey, [Region(0, 0, 1, 1)]).any()


def test_without_regions_the_picture_stays() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)

    assert (covered(grey, []) == grey).all()
