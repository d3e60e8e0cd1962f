"""Files without a preamble, without meta information, without a transfer syntax: told from what they hold."""

import imagecodecs
import numpy as np
import pytest
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import media_type_of, read_radiograph
from shared.errors import UnsupportedMediaType
from tests.image_index.pictures.dicom.encodings import EXPECTED, compressed, stored, with_syntax
from tests.image_index.pictures.dicom.made_dicom import encapsulated, made_dicom

EIGHT_BITS = EXPECTED.astype(np.uint8)
NATIVE = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def in_eight_bits(code: bytes, syntax: str) -> bytes:
    return encapsulated(made_dicom(EIGHT_BITS, bits=8, WindowCenter=128, WindowWidth=256), code, syntax)


COMPRESSED = {
    JPEGBaseline8Bit: lambda: in_eight_bits(imagecodecs.jpeg8_encode(EIGHT_BITS, level=100), JPEGBaseline8Bit),
    JPEGExtended12Bit: lambda: encapsulated(
        made_dicom(), imagecodecs.jpeg8_encode(stored(), level=99, bitspersample=12), JPEGExtended12Bit
    ),
    JPEGLosslessSV1: lambda: encapsulated(
        made_dicom(), imagecodecs.ljpeg_encode(stored(), bitspersample=12), JPEGLosslessSV1
    ),
    JPEGLSLossless: lambda: encapsulated(made_dicom(), imagecodecs.jpegls_encode(stored()), JPEGLSLossless),
    JPEG2000Lossless: lambda: compressed(JPEG2000Lossless),
    RLELossless: lambda: compressed(RLELossless),
}


def without_syntax(data: bytes) -> bytes:
    start = data.index(b"\x02\x00\x10\x00UI")
    return data[:start] + data[start + 8 + int.from_bytes(data[start + 6 : start + 8], "little") :]


def dataset_alone(data: bytes) -> bytes:
    """After the meta information, whose length its first element says."""
    return data[144 + int.from_bytes(data[140:144], "little") :]


def assert_same_picture(data: bytes) -> None:
    check_header(data, Limits())

    assert media_type_of(data) == "application/dicom"
    assert np.abs(read_radiograph(data).grey - EXPECTED).max() <= 2


@pytest.mark.parametrize("syntax", NATIVE)
def test_without_a_transfer_syntax_the_data_set_says_how_it_is_written(syntax: str) -> None:
    assert_same_picture(without_syntax(with_syntax(syntax)))


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_without_a_transfer_syntax_the_codestream_says_how_it_is_compressed(syntax: str) -> None:
    assert_same_picture(without_syntax(COMPRESSED[syntax]()))


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("before", [b"", b"DICM", bytes(128) + b"DICM"], ids=["nothing", "DICM", "a preamble"])
def test_a_data_set_alone_is_read(before: bytes, syntax: str) -> None:
    assert_same_picture(before + dataset_alone(with_syntax(syntax)))


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("cut", [128, 132], ids=["DICM", "nothing"])
def test_meta_information_without_a_preamble_is_read(cut: int, syntax: str) -> None:
    assert_same_picture(with_syntax(syntax)[cut:])


def test_a_compressed_data_set_alone_is_read() -> None:
    assert_same_picture(dataset_alone(COMPRESSED[JPEGLSLossless]()))


@pytest.mark.parametrize(
    "content",
    [
        b"\x08\x00",
        b"\x08\x00\x16\x00UI",
        b"\x08\x00\x05\x00CS\xff\xff" + bytes(100),
        b"\x08\x00\x16\x00\x04\0\0\0abcd" * 20,  # the same tag again
        b"\x10\x00\x10\x00\x04\0\0\0abcd" + bytes(100),  # no file begins with a patient's name
        b"\x00\x00\x01\x00\x01\x00\x10\x10" + bytes(200),  # an icon
        b"II*\x00\x08\x00\x00\x00" + bytes(200),
    ],
)
def test_what_only_begins_like_a_data_set_is_none(content: bytes) -> None:
    with pytest.raises(UnsupportedMediaType):
        media_type_of(content)
