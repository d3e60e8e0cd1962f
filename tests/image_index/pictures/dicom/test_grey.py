"""What the standard leaves to a reader of DICOM pixels, and what writers get wrong."""

import numpy as np
import pytest

from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from shared.errors import InvalidInput, PayloadTooLarge
from tests.image_index.pictures.dicom.encodings import EXPECTED, PICTURE, stored
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

LEVELS = np.array([[0, 1024, 2048, 3072, 4095]], dtype=np.uint16)

# Writers put all of this into headers; pydicom warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value")


def grey_of(values: np.ndarray = LEVELS, **elements: object) -> list[int]:
    return read_radiograph(to_bytes(made_dicom(values, **elements))).grey[0].tolist()


def test_a_sigmoid_window_is_half_bright_at_its_center() -> None:
    assert grey_of(WindowCenter=2048, WindowWidth=2048, VOILUTFunction="SIGMOID") == [5, 30, 128, 225, 250]


def test_a_linear_window_spans_one_value_less_than_its_width() -> None:
    values = np.array([[99, 100, 101, 102, 103]], dtype=np.uint16)

    assert grey_of(values, WindowCenter=101, WindowWidth=3, VOILUTFunction="LINEAR") == [0, 64, 191, 255, 255]
    assert grey_of(values, WindowCenter=101, WindowWidth=4, VOILUTFunction="LINEAR_EXACT") == [0, 64, 128, 191, 255]


@pytest.mark.parametrize("width", [1, 0.5])
def test_the_narrowest_window_is_a_threshold(width: float) -> None:
    assert grey_of(WindowCenter=2048, WindowWidth=width) == [0, 0, 255, 255, 255]


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowWidth": None},
        {"WindowCenter": None},
        {"WindowWidth": 0},
        {"WindowWidth": -4096},
        {"WindowWidth": ""},
        {"WindowCenter": "NaN"},
        {"WindowWidth": "inf"},
    ],
)
def test_what_is_no_window_is_taken_as_none(elements: dict[str, object]) -> None:
    values = np.linspace(1000, 3000, 1000).astype(np.uint16)[None]
    grey = grey_of(values, **elements)

    assert (grey[0], grey[-1]) == (0, 255)
    assert grey[500] == pytest.approx(128, abs=2)


def test_words_in_place_of_numbers_are_left_out() -> None:
    data = to_bytes(made_dicom(WindowWidth=4321, PixelSpacing=[0.2345, 0.1]))
    odd = data.replace(b"4321", b"wide").replace(b"0.2345", b"coarse")

    assert odd.count(b"wide") == odd.count(b"coarse") == 1
    assert read_radiograph(odd).grey.shape == EXPECTED.shape


def test_without_a_window_the_percentiles_of_what_is_not_padding_span_the_greys() -> None:
    values = stored() // 4 + 500
    values[PICTURE == 0] = 4000
    data = to_bytes(made_dicom(values, WindowCenter=None, WindowWidth=None, PixelPaddingValue=4000))
    grey = read_radiograph(data).grey
    shown = values[PICTURE > 0].astype(float)
    low, high = np.percentile(shown, [0.5, 99.5])

    assert np.abs(grey[PICTURE > 0] - np.clip((shown - low) / (high - low), 0, 1) * 255).max() <= 1
    assert (grey[PICTURE == 0] == 0).all()


def test_nothing_but_padding_is_black() -> None:
    assert grey_of(np.full((1, 3), 7, np.uint16), PixelPaddingValue=7, WindowWidth=None) == [0, 0, 0]


def test_without_a_window_a_negative_slope_turns_the_picture_once() -> None:
    elements = {"WindowCenter": None, "WindowWidth": None, "RescaleSlope": -2, "RescaleIntercept": 9000}
    upright = grey_of(WindowCenter=None, WindowWidth=None)

    assert grey_of(**elements) == [255 - level for level in upright]
    assert grey_of(**elements, photometric="MONOCHROME1") == upright


def test_padding_stays_black_when_the_picture_is_inverted() -> None:
    values = np.array([[0, 4095, 1000]], dtype=np.uint16)

    assert grey_of(values, photometric="MONOCHROME1", PixelPaddingValue=0) == [0, 0, 193]


def test_scaling_is_by_the_window_and_not_by_the_values_found() -> None:
    values = np.full((4, 4), 1024, dtype=np.uint16)
    values[0, 0] = 2048

    assert read_radiograph(to_bytes(made_dicom(values))).grey.max() == 128


@pytest.mark.parametrize(
    ("elements", "shape"),
    [
        ({"PixelSpacing": [0.2, 0.1]}, (192, 80)),
        ({"ImagerPixelSpacing": [0.1, 0.2]}, (96, 160)),
        ({"PixelAspectRatio": [2, 1]}, (192, 80)),
        ({"PixelAspectRatio": ["1", "1"]}, (96, 80)),
        ({"PixelSpacing": [0.1, 0.1], "PixelAspectRatio": [2, 1]}, (96, 80)),
        ({"PixelSpacing": [0.1001, 0.1]}, (96, 80)),
        ({"PixelSpacing": [0.1, 0.0]}, (96, 80)),
        ({"PixelSpacing": [0.1, 9]}, (96, 80)),
    ],
)
def test_pixels_that_are_not_square_are_stretched_until_they_are(
    elements: dict[str, object], shape: tuple[int, int]
) -> None:
    grey = read_radiograph(to_bytes(made_dicom(**elements))).grey

    assert grey.shape == shape
    assert grey.mean() == pytest.approx(EXPECTED.mean(), abs=1)


def test_a_picture_stretched_beyond_the_limit_is_too_large() -> None:
    with pytest.raises(PayloadTooLarge, match="192 × 80"):
        read_radiograph(to_bytes(made_dicom(PixelAspectRatio=[2, 1])), Limits(max_pixels=10_000))


@pytest.mark.parametrize(
    ("elements", "says"),
    [
        ({"photometric": "CMYK"}, "PhotometricInterpretation"),
        ({"photometric": "RGB"}, "SamplesPerPixel"),
        ({"SamplesPerPixel": 3}, "SamplesPerPixel"),
        ({"photometric": "PALETTE COLOR"}, "palette"),
        ({"BitsAllocated": 32}, "BitsAllocated"),
        ({"BitsStored": 17}, "BitsStored"),
        ({"BitsStored": 0}, "BitsStored"),
        ({"PixelData": None, "FloatPixelData": b"\0\0\x80\x3f" * 4}, "floating-point"),
        ({"PixelData": None, "DoubleFloatPixelData": b"\0" * 32}, "floating-point"),
    ],
)
def test_pixels_that_are_not_read_are_refused_with_the_reason(elements: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_radiograph(to_bytes(made_dicom(**elements)))


@pytest.mark.parametrize(("frames", "said"), [(None, 1), (3, 3)])
def test_of_several_frames_the_first_is_read_and_their_number_said(frames: int | None, said: int) -> None:
    values = stored() if frames is None else np.stack([stored(), *[stored()[::-1]] * (frames - 1)])
    radiograph = read_radiograph(to_bytes(made_dicom(values)))

    assert radiograph.frames == said
    assert np.abs(radiograph.grey - EXPECTED).max() <= 1
