"""Pixel descriptions with holes and slips: filled where the standard's meaning is clear, else refused by name."""

import io

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from shared.errors import InvalidInput
from tests.image_index.pictures.dicom.encodings import EXPECTED, PICTURE, implicit, rgb, stored, ybr
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.filterwarnings("ignore")
EIGHT_BITS = EXPECTED.astype(np.uint8)


def assert_same_picture(data: bytes, expected: np.ndarray = EXPECTED) -> None:
    check_header(data, Limits())

    assert np.abs(read_radiograph(data).grey - expected).max() <= 1


def emptied(dataset: Dataset, keyword: str) -> Dataset:
    dataset[keyword].value = None
    return dataset


GUESSED = ["SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"]


@pytest.mark.parametrize("write", [to_bytes, implicit], ids=["explicit", "implicit"])
@pytest.mark.parametrize("keyword", GUESSED)
def test_a_missing_or_empty_attribute_that_the_others_tell_is_filled(keyword: str, write: object) -> None:
    assert callable(write)
    assert_same_picture(write(made_dicom(**{keyword: None})))
    assert_same_picture(write(emptied(made_dicom(), keyword)))


def test_the_size_of_a_cell_is_told_from_the_length_of_the_pixels() -> None:
    for keyword in ("BitsAllocated", "BitsStored"):
        assert_same_picture(
            to_bytes(made_dicom(EIGHT_BITS, bits=8, WindowCenter=128, WindowWidth=256, **{keyword: None}))
        )


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "PhotometricInterpretation"])
def test_what_nothing_else_tells_is_a_refusal_that_names_it(keyword: str) -> None:
    for dataset in (made_dicom(**{keyword: None}), emptied(made_dicom(), keyword)):
        data = to_bytes(dataset)
        for read in (read_radiograph, lambda data: check_header(data, Limits())):
            with pytest.raises(InvalidInput, match=keyword) as refusal:
                read(data)
            assert "damaged" not in refusal.value.detail


@pytest.mark.parametrize(
    ("elements", "says"), [({"BitsAllocated": 12}, "BitsAllocated"), ({"NumberOfFrames": 2}, "NumberOfFrames")]
)
def test_what_cannot_be_is_a_refusal_that_names_it(elements: dict[str, object], says: str) -> None:
    data = to_bytes(made_dicom(**elements))
    for read in (read_radiograph, lambda data: check_header(data, Limits())):
        with pytest.raises(InvalidInput, match=says):
            read(data)


@pytest.mark.parametrize(("shape", "expected"), [("IDENTITY", EXPECTED), ("INVERSE", 255 - EXPECTED)])
def test_without_a_photometric_interpretation_the_presentation_tells_which_end_is_bright(
    shape: str, expected: np.ndarray
) -> None:
    assert_same_picture(to_bytes(made_dicom(PhotometricInterpretation=None, PresentationLUTShape=shape)), expected)


@pytest.mark.parametrize("said", ["monochrome2", "Monochrome2", " MONOCHROME2", ["MONOCHROME2", "RGB"]])
def test_photometric_interpretation_however_it_is_written_is_understood(said: object) -> None:
    assert_same_picture(to_bytes(made_dicom(PhotometricInterpretation=said)))


def test_lower_case_inverts_as_capitals_do() -> None:
    assert_same_picture(to_bytes(made_dicom(4095 - stored(), photometric="monochrome1")))


def changed(data: bytes, keyword: str, value: object, vr: str | None = None) -> bytes:
    """The element in another VR, or with a value that pydicom would not set."""
    dataset = dcmread(io.BytesIO(data))
    tag = tag_for_keyword(keyword)
    assert tag
    dataset[keyword] = DataElement(tag, vr or dictionary_VR(tag), value, already_converted=True)
    return to_bytes(dataset)


@pytest.mark.parametrize("frames", ["", " ", "1A", "x", "0", "-3", "1.0"])
def test_a_number_of_frames_that_is_none_is_one(frames: str) -> None:
    data = to_bytes(made_dicom(NumberOfFrames=7777)).replace(b"7777", frames.ljust(4).encode())

    assert_same_picture(data)
    assert read_radiograph(data).frames == 1


@pytest.mark.parametrize(
    ("vr", "value"),
    [("US", [4000, 65535]), ("OW", b"\xa0\x0f"), ("OB", b"\xa0\x0f"), ("DS", "4000")],
)
def test_a_padding_value_however_it_is_written_is_black(vr: str, value: object) -> None:
    values = stored()
    values[PICTURE == 0] = 4000
    values[(values == 4000) & (PICTURE > 0)] = 4001

    data = changed(to_bytes(made_dicom(values, PixelPaddingValue=1)), "PixelPaddingValue", value, vr)

    assert_same_picture(data)
    assert_same_picture(data.replace(b"\x28\x00\x20\x01OB", b"\x28\x00\x20\x01UN"))


@pytest.mark.parametrize(("vr", "value"), [("LO", "none"), ("US", []), ("OW", b""), ("OB", b"\1"), ("DS", "")])
@pytest.mark.parametrize("keyword", ["PixelPaddingValue", "PixelPaddingRangeLimit"])
def test_a_padding_value_that_is_none_changes_nothing(keyword: str, vr: str, value: object) -> None:
    data = to_bytes(made_dicom(**{"PixelPaddingValue": 0, keyword: 0}))

    assert_same_picture(changed(data, keyword, value, vr))


@pytest.mark.parametrize("high_bit", [12, 13, 15])
def test_a_high_bit_that_lies_shifts_nothing(high_bit: int) -> None:
    assert_same_picture(to_bytes(made_dicom(HighBit=high_bit)))


@pytest.mark.parametrize("high_bit", [0, 7, 10])
def test_a_high_bit_that_is_too_low_changes_nothing(high_bit: int) -> None:
    assert_same_picture(to_bytes(made_dicom(HighBit=high_bit)))


def test_a_high_bit_that_lies_over_signed_samples_shifts_nothing() -> None:
    assert_same_picture(to_bytes(made_dicom(stored().astype(np.int16) - 2048, HighBit=15, WindowCenter=0)))


def test_a_true_high_bit_still_shifts() -> None:
    for low_bits in (0, 0x0A):
        assert_same_picture(to_bytes(made_dicom(stored() << 4 | np.uint16(low_bits), HighBit=15)))


@pytest.mark.parametrize("keyword", ["PlanarConfiguration", "PhotometricInterpretation", "SamplesPerPixel"])
def test_colours_with_one_attribute_missing_are_by_pixel_red_green_and_blue(keyword: str) -> None:
    dataset = dcmread(io.BytesIO(rgb(0)))
    delattr(dataset, keyword)

    assert_same_picture(to_bytes(dataset))


def test_luma_of_the_partial_range_is_stretched() -> None:
    dataset = dcmread(io.BytesIO(ybr("YBR_FULL_422")))
    dataset.PhotometricInterpretation = "YBR_PARTIAL_422"
    pairs = np.frombuffer(dataset.PixelData, np.uint8).reshape(-1, 4).copy()
    pairs[:, :2] = np.rint(16 + pairs[:, :2] * (219 / 255))
    dataset.PixelData = pairs.tobytes()

    assert_same_picture(to_bytes(dataset))
