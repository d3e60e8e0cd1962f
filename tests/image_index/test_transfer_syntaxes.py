"""One picture in every transfer syntax that is read, by encoders other than our decoders' own; and what is not read."""

from collections.abc import Callable, Iterator

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate_extended
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from services.image_index import transfer_syntax
from services.image_index.isolated import IsolatedDecoders
from services.image_index.pixels import read_radiograph
from shared.errors import InvalidInput, UnsupportedMediaType
from tests.image_index.made_dicom import encapsulated, made_dicom, made_picture, to_bytes

PICTURE = made_picture()
EXPECTED = np.rint(PICTURE * 255)
STORED = np.rint(PICTURE * 4095).astype(np.uint16)
SIGNED = STORED.astype(np.int16) - 2048
EIGHT_BITS = EXPECTED.astype(np.uint8)


@pytest.fixture(scope="module")
def decoders() -> Iterator[IsolatedDecoders]:
    with IsolatedDecoders() as decoders:
        yield decoders


def signed(code: bytes, syntax: str) -> bytes:
    return encapsulated(made_dicom(SIGNED, WindowCenter=0), code, syntax)


def in_eight_bits(code: bytes, syntax: str) -> bytes:
    return encapsulated(made_dicom(EIGHT_BITS, bits=8, WindowCenter=128, WindowWidth=256), code, syntax)


def two_frames(fragments: int = 1) -> bytes:
    codes = [imagecodecs.jpegls_encode(frame) for frame in (STORED, STORED[::-1].copy())]
    return encapsulated(made_dicom(np.stack([STORED, STORED])), codes, JPEGLSLossless, fragments=fragments)


def with_extended_offsets() -> bytes:
    codes = [imagecodecs.htj2k_encode(frame, reversible=True) for frame in (STORED, STORED[::-1].copy())]
    pixels, offsets, lengths = encapsulate_extended(codes)
    dataset = made_dicom(np.stack([STORED, STORED]), ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths)
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    return to_bytes(dataset)


def deflated() -> bytes:
    dataset = made_dicom()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return to_bytes(dataset)


def odd_length() -> bytes:
    """A codestream of an odd number of bytes is padded to an even one."""
    code = imagecodecs.jpegls_encode(STORED[:, :-1].copy())
    while len(code) % 2 == 0:
        code += b"\0"
    pixels = np.concatenate([STORED[:, :-1], STORED[:, -1:]], axis=1)
    return encapsulated(made_dicom(pixels, Columns=79), code, JPEGLSLossless)


ENCODINGS: dict[str, Callable[[], bytes]] = {
    "HTJ2K, lossless": lambda: encapsulated(
        made_dicom(), imagecodecs.htj2k_encode(STORED, reversible=True), HTJ2KLossless
    ),
    "HTJ2K, lossless, RPCL": lambda: encapsulated(
        made_dicom(), imagecodecs.htj2k_encode(STORED, reversible=True), HTJ2KLosslessRPCL
    ),
    "HTJ2K, lossy": lambda: encapsulated(made_dicom(), imagecodecs.htj2k_encode(STORED, reversible=False), HTJ2K),
    "HTJ2K, signed": lambda: signed(imagecodecs.htj2k_encode(SIGNED, reversible=True), HTJ2KLossless),
    "HTJ2K, two frames, extended offset table": with_extended_offsets,
    "JPEG 2000, lossy": lambda: encapsulated(
        made_dicom(), imagecodecs.jpeg2k_encode(STORED, level=75, codecformat="j2k", bitspersample=12), JPEG2000
    ),
    "JPEG 2000, signed": lambda: signed(
        imagecodecs.jpeg2k_encode(SIGNED, level=0, codecformat="j2k", bitspersample=12), JPEG2000Lossless
    ),
    "JPEG-LS": lambda: encapsulated(made_dicom(), imagecodecs.jpegls_encode(STORED), JPEGLSLossless),
    "JPEG-LS, near lossless": lambda: encapsulated(
        made_dicom(), imagecodecs.jpegls_encode(STORED, level=3), JPEGLSNearLossless
    ),
    "JPEG-LS in many fragments without an offset table": lambda: encapsulated(
        made_dicom(), imagecodecs.jpegls_encode(STORED), JPEGLSLossless, fragments=7
    ),
    "JPEG-LS, two frames": two_frames,
    "JPEG-LS, two frames of several fragments, without an offset table": lambda: two_frames(fragments=3),
    "JPEG, lossless": lambda: encapsulated(
        made_dicom(), imagecodecs.ljpeg_encode(STORED, bitspersample=12), JPEGLosslessSV1
    ),
    "JPEG, 12 bits": lambda: encapsulated(
        made_dicom(), imagecodecs.jpeg8_encode(STORED, level=99, bitspersample=12), JPEGExtended12Bit
    ),
    "JPEG, extended process of 8 bits": lambda: in_eight_bits(
        imagecodecs.jpeg8_encode(EIGHT_BITS, level=100), JPEGExtended12Bit
    ),
    "JPEG, baseline": lambda: in_eight_bits(imagecodecs.jpeg8_encode(EIGHT_BITS, level=100), JPEGBaseline8Bit),
    "deflated": deflated,
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_transfer_syntax_gives_the_same_picture(name: str, decoders: IsolatedDecoders) -> None:
    grey = read_radiograph(ENCODINGS[name](), decoders=decoders).grey

    off = np.abs(grey.astype(float) - EXPECTED)
    assert off.max() <= (2 if "baseline" in name or "of 8 bits" in name else 1)


def test_a_codestream_of_odd_length_is_read(decoders: IsolatedDecoders) -> None:
    grey = read_radiograph(odd_length(), decoders=decoders).grey

    assert np.abs(grey.astype(float) - EXPECTED[:, :-1]).max() <= 1


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_bits_above_the_stored_ones_do_not_show(syntax: str, decoders: IsolatedDecoders) -> None:
    """A lossless encoder that was given 16-bit cells keeps what was in their upper bits."""
    cells = STORED | np.uint16(0xF000)
    encode = {
        JPEG2000Lossless: lambda: imagecodecs.jpeg2k_encode(cells, level=0, codecformat="j2k"),
        JPEGLSLossless: lambda: imagecodecs.jpegls_encode(cells),
    }
    if syntax == RLELossless:
        dataset = made_dicom(cells, BitsStored=16, HighBit=15)
        dataset.compress(RLELossless, encoding_plugin="pylibjpeg")
        dataset.BitsStored, dataset.HighBit = 12, 11
        data = to_bytes(dataset)
    else:
        data = encapsulated(made_dicom(), encode[syntax](), syntax)

    assert np.abs(read_radiograph(data, decoders=decoders).grey.astype(float) - EXPECTED).max() <= 1


def test_a_transfer_syntax_that_is_not_read_is_named() -> None:
    dataset = made_dicom()
    with pytest.raises(UnsupportedMediaType, match=r"MPEG2 Main Profile / Main Level \(1.2.840.10008.1.2.4.100\)"):
        read_radiograph(encapsulated(dataset, b"\0" * 64, MPEG2MPML))


def test_a_transfer_syntax_of_a_vendor_is_not_repeated() -> None:
    data = encapsulated(made_dicom(), b"\0" * 64, MPEG2MPML).replace(MPEG2MPML.encode(), b"1.2.840.99998.1.2.4.100")
    with pytest.raises(UnsupportedMediaType, match="DICOM does not define") as refusal:
        read_radiograph(data)

    assert "99998" not in refusal.value.detail


def test_where_no_decoder_is_installed_the_transfer_syntax_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithoutPlugins:
        is_available = False

    monkeypatch.setattr(transfer_syntax, "get_decoder", lambda _syntax: WithoutPlugins())
    with pytest.raises(UnsupportedMediaType, match=r"High-Throughput.*no decoder for it is installed"):
        read_radiograph(ENCODINGS["HTJ2K, lossless"]())


def test_a_file_without_a_transfer_syntax_is_invalid() -> None:
    data = to_bytes(made_dicom())
    start = data.index(b"\x02\x00\x10\x00UI")
    length = int.from_bytes(data[start + 6 : start + 8], "little")

    with pytest.raises(InvalidInput, match="no transfer syntax"):
        read_radiograph(data[:start] + data[start + 8 + length :])
