"""Compressed pixels whose tables and descriptions are wrong."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from services.image_index.pictures.dicom.fragments import first_frame_code
from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from tests.image_index.pictures.dicom.compressed import COLOURS
from tests.image_index.pictures.dicom.encodings import EXPECTED, stored
from tests.image_index.pictures.dicom.made_dicom import encapsulated, made_dicom, to_bytes

# Writers put all of this into headers; pydicom warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value")
EIGHT_BITS = EXPECTED.astype(np.uint8)
JPEG = imagecodecs.jpeg8_encode(EIGHT_BITS, level=100)
SYNTAXES = {
    JPEGBaseline8Bit: (JPEG, 8),
    JPEGLSLossless: (imagecodecs.jpegls_encode(stored()), 12),
    JPEG2000Lossless: (imagecodecs.jpeg2k_encode(stored(), level=0, codecformat="j2k", bitspersample=12), 12),
}


def assert_same_picture(data: bytes) -> None:
    check_header(data, Limits())

    assert np.abs(read_radiograph(data).grey - EXPECTED).max() <= 2


def with_table(table: bytes, syntax: str, frames: int = 1, **elements: object) -> bytes:
    code, bits = SYNTAXES[syntax]
    values = EIGHT_BITS if bits == 8 else stored()
    dataset = made_dicom(np.stack([values] * frames) if frames > 1 else values, bits=bits, **elements)
    whole = encapsulated(dataset, [code] * frames, syntax)
    fragments = encapsulate([code] * frames, has_bot=False)[8:]
    items = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(table)) + table + fragments
    assert dataset.PixelData in whole
    return whole.replace(dataset.PixelData, items)


TABLES = {
    "an offset beyond the end": struct.pack("<I", 77_000_000),
    "an offset into the codestream": struct.pack("<I", 77),
    "an offset past the item's head": struct.pack("<I", 8),
    "the highest offset": b"\xff" * 4,
    "several offsets": struct.pack("<3I", 0, 50, 90),
    "offsets out of order": struct.pack("<2I", 90, 0),
    "no whole offset": b"\0\0",
    "nothing": b"",
}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_offset_table_is_not_asked(name: str, frames: int, syntax: str) -> None:
    assert_same_picture(with_table(TABLES[name], syntax, frames))


@pytest.mark.parametrize("frames", [1, 2])
def test_wrong_extended_offsets_are_not_asked(frames: int) -> None:
    elements = {"ExtendedOffsetTable": b"\x4d" + bytes(7), "ExtendedOffsetTableLengths": b"\xff" * 8}

    assert_same_picture(with_table(b"", JPEGLSLossless, frames, **elements))


def test_without_any_offset_table_the_first_item_is_the_first_fragment() -> None:
    items = encapsulate([JPEG], has_bot=False)[8:]

    assert first_frame_code(items, 1).startswith(b"\xff\xd8")
    assert first_frame_code(items, 1).rstrip(b"\0") == JPEG.rstrip(b"\0")


def test_more_frames_than_are_said_leave_the_first() -> None:
    assert first_frame_code(encapsulate([JPEG, JPEG, JPEG]), 1).rstrip(b"\0") == JPEG.rstrip(b"\0")


def test_run_lengths_in_several_frames_are_one_fragment_each() -> None:
    dataset = made_dicom(np.stack([stored(), stored()[::-1]]))
    dataset.compress(RLELossless, encoding_plugin="pylibjpeg")
    data = to_bytes(dataset)
    place = data.rindex(b"\xfe\xff\x00\xe0\x08\x00\x00\x00") + 8  # two offsets

    assert_same_picture(data[:place] + b"\x07" * 8 + data[place + 8 :])


@pytest.mark.parametrize(("stored_bits", "center", "width"), [(8, 128, 256), (12, 128, 256), (16, 128, 256)])
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLSLossless, JPEG2000Lossless])
def test_samples_of_8_bits_described_as_16_are_8(syntax: str, stored_bits: int, center: int, width: int) -> None:
    encode = {
        JPEGBaseline8Bit: lambda: JPEG,
        JPEGLSLossless: lambda: imagecodecs.jpegls_encode(EIGHT_BITS),
        JPEG2000Lossless: lambda: imagecodecs.jpeg2k_encode(EIGHT_BITS, level=0, codecformat="j2k"),
    }
    dataset = made_dicom(
        EIGHT_BITS, BitsAllocated=16, bits=stored_bits, WindowCenter=center, WindowWidth=width, PixelRepresentation=0
    )

    assert_same_picture(encapsulated(dataset, encode[syntax](), syntax))


@pytest.mark.parametrize("elements", [{"WindowCenter": None, "WindowWidth": None}, {}])
def test_a_window_for_12_bits_is_left_where_the_samples_have_8(elements: dict[str, object]) -> None:
    assert_same_picture(encapsulated(made_dicom(EIGHT_BITS, BitsAllocated=16, **elements), JPEG, JPEGBaseline8Bit))


def test_a_jpeg_described_as_signed_is_not() -> None:
    dataset = made_dicom(EIGHT_BITS, BitsAllocated=16, bits=8, WindowCenter=128, WindowWidth=256, PixelRepresentation=1)

    assert_same_picture(encapsulated(dataset, JPEG, JPEGBaseline8Bit))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"])
def test_progressive_jpeg_under_its_retired_names_is_read(syntax: str) -> None:
    out = io.BytesIO()
    Image.fromarray(EIGHT_BITS).save(out, "JPEG", progressive=True, quality=100)
    for code in (out.getvalue(), JPEG):
        dataset = made_dicom(EIGHT_BITS, bits=8, WindowCenter=128, WindowWidth=256)
        assert_same_picture(encapsulated(dataset, code, syntax))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"])
def test_12_bits_under_a_retired_name_are_read(syntax: str) -> None:
    code = imagecodecs.jpeg8_encode(stored(), level=99, bitspersample=12)

    assert_same_picture(encapsulated(made_dicom(), code, syntax))


@pytest.mark.parametrize("elements", [{}, {"PlanarConfiguration": None}, {"PhotometricInterpretation": None}])
@pytest.mark.parametrize("photometric", ["YBR_PARTIAL_422", "YBR_FULL_422", "ybr_full_422"])
def test_a_jpeg_in_colour_is_luma_whatever_it_is_called(photometric: str, elements: dict[str, object]) -> None:
    code = imagecodecs.jpeg8_encode(COLOURS, level=100, subsampling="422")
    dataset = made_dicom(EIGHT_BITS, bits=8, photometric=photometric, SamplesPerPixel=3, PlanarConfiguration=0)
    for keyword in elements:
        delattr(dataset, keyword)

    assert_same_picture(encapsulated(dataset, code, JPEGBaseline8Bit))
