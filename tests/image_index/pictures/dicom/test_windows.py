"""Lists of windows as archives send them: bad ones beside good ones, other ways of writing a number, none that fits."""

import numpy as np
import pytest

from services.image_index.pictures.read import read_radiograph
from tests.image_index.pictures.dicom.encodings import EXPECTED, stored
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

# Writers put all of this into headers; pydicom warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value")
WINDOWED = np.clip((stored() - 1499.5) / 2399 + 0.5, 0, 1) * 255  # of center 1500 and width 2400, by the formula


def grey_with(center: object, width: object, **elements: object) -> np.ndarray:
    """The file's text is changed in its bytes: pydicom writes no number that is none."""
    said = made_dicom(WindowCenter="11111111", WindowWidth="22222222", **elements)
    data = to_bytes(said)
    for placeholder, text in ((b"11111111", center), (b"22222222", width)):
        assert len(str(text)) <= 8
        data = data.replace(placeholder, str(text).ljust(8).encode())
    return read_radiograph(data).grey.astype(float)


@pytest.mark.parametrize(
    ("center", "width"),
    [
        ("1500", "2400"),
        ("1500\\", "2400\\"),
        ("\\1500", "\\2400"),
        ("1500\\USR", "2400\\USR"),
        ("USR\\1500", "USR\\2400"),
        ("0\\1500", "0\\2400"),
        ("9\\1500", "-4\\2400"),
        ("1500,0", "2400,0"),
        ("1500,0\\9", "2400,0\\9"),
        ("nan\\1500", "10\\2400"),
        ("7E4\\1500", "10\\2400"),
        ("1.5E3", "2.4E3"),
    ],
)
def test_the_first_good_window_of_a_list_is_the_window(center: str, width: str) -> None:
    assert np.abs(grey_with(center, width) - WINDOWED).max() <= 1


@pytest.mark.parametrize(("slope", "width"), [("0.0001", "0.4095"), ("0.0002", "0.819"), ("0.001", "4.095")])
def test_a_window_over_fractions_spans_its_width(slope: str, width: str) -> None:
    center = f"{float(width) / 2:.6f}"

    assert np.abs(grey_with(center, width, RescaleSlope=slope, RescaleIntercept=0) - EXPECTED).max() <= 1


def test_decimal_commas_in_the_rescaling_are_read() -> None:
    data = to_bytes(made_dicom(RescaleSlope="2.000", RescaleIntercept="-10.5", WindowCenter=4085, WindowWidth=8190))
    odd = data.replace(b"2.000", b"2,000").replace(b"-10.5", b"-10,5")

    assert odd != data
    assert (read_radiograph(odd).grey == read_radiograph(data).grey).all()
    assert np.abs(read_radiograph(odd).grey - EXPECTED).max() <= 1


@pytest.mark.parametrize(("center", "width"), [("30000", "100"), ("-30000", "100"), ("60000\\-9000", "9\\9")])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_windows_that_miss_the_picture_are_left_for_its_own_range(center: str, width: str, photometric: str) -> None:
    data = to_bytes(made_dicom(WindowCenter=center.split("\\"), WindowWidth=width.split("\\"), photometric=photometric))
    low, high = np.percentile(stored(), [0.5, 99.5])
    by_range = np.clip((stored() - low) / (high - low), 0, 1) * 255

    expected = by_range if photometric == "MONOCHROME2" else 255 - by_range
    assert np.abs(read_radiograph(data).grey - expected).max() <= 1


def test_a_window_that_shows_a_hundredth_of_the_picture_is_kept() -> None:
    values = np.zeros((100, 100), dtype=np.uint16)
    values[0] = np.linspace(1000, 3000, 100)

    grey = read_radiograph(to_bytes(made_dicom(values, WindowCenter=2000, WindowWidth=2001))).grey
    assert (grey[1:] == 0).all()
    assert np.abs(grey[0] - np.linspace(0, 255, 100)).max() <= 1


def test_a_picture_of_one_value_is_one_grey_by_its_window() -> None:
    values = np.full((8, 8), 3000, dtype=np.uint16)

    assert (read_radiograph(to_bytes(made_dicom(values, WindowCenter=500, WindowWidth=100))).grey == 255).all()
