"""One picture in every transfer syntax that is read; and what is not read."""

from collections.abc import Iterator

import imagecodecs
import numpy as np
import pytest
from pydicom.uid import (
    MPEG2MPML,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from services.image_index.pictures.dicom import transfer_syntax
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.read import read_radiograph
from shared.errors import UnsupportedMediaType
from tests.image_index.pictures.dicom.compressed import ENCODINGS, EXPECTED, STORED
from tests.image_index.pictures.dicom.made_dicom import encapsulated, made_dicom, to_bytes


@pytest.fixture(scope="module")
def decoders() -> Iterator[IsolatedDecoders]:
    with IsolatedDecoders() as decoders:
        yield decoders


def odd_length() -> bytes:
    """A codestream of an odd number of bytes is padded to an even one."""
    code = imagecodecs.jpegls_encode(STORED[:, :-1].copy())
    while len(code) % 2 == 0:
        code += b"\0"
    pixels = np.concatenate([STORED[:, :-1], STORED[:, -1:]], axis=1)
    return encapsulated(made_dicom(pixels, Columns=79), code, JPEGLSLossless)


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
