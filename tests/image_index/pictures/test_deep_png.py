"""PNG of 16 bits a sample, whatever it holds: every byte of it counts."""

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from shared.errors import InvalidInput
from tests.image_index.pictures.dicom.made_dicom import made_picture

PICTURE = made_picture()
EXPECTED = PICTURE * 255
DEEP = np.rint(PICTURE * 4095).astype(np.uint16)  # of a 12-bit detector


def grey_of(data: bytes) -> np.ndarray:
    check_header(data, Limits())
    return read_radiograph(data).grey.astype(float)


def grey_png(samples: np.ndarray) -> bytes:
    return bytes(imagecodecs.png_encode(samples))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 15, 16])
def test_the_depth_of_grey_samples_is_the_one_they_fill(bits: int) -> None:
    assert np.abs(grey_of(grey_png(np.rint(PICTURE * (2**bits - 1)).astype(np.uint16))) - EXPECTED).max() <= 1


@pytest.mark.parametrize("marker", [65535, 40_000, 16_384])
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_marker_burnt_in_far_above_the_picture_is_white_and_does_not_darken_it(bits: int, marker: int) -> None:
    samples = np.rint(PICTURE * (2**bits - 1)).astype(np.uint16)
    samples[4:14, 60:78] = marker
    samples[4, 60] = marker // 2  # an edge that was smoothed
    grey = grey_of(grey_png(samples))
    is_marker = samples >= 2**bits

    assert np.abs(grey - EXPECTED)[~is_marker].max() <= 1
    assert (grey[is_marker] == 255).all()


def test_the_bright_end_of_a_picture_of_16_bits_is_no_marker() -> None:
    rising = np.broadcast_to(np.linspace(0, 1, 400) ** 40, (50, 400))
    samples = np.rint(rising * 65535).astype(np.uint16)

    assert (samples >= 2**14).mean() < 0.05
    assert np.abs(grey_of(grey_png(samples)) - rising * 255).max() <= 1


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_colour_of_16_bits_keeps_its_low_bytes(bits: int) -> None:
    samples = np.rint(PICTURE * (2**bits - 1)).astype(np.uint16)

    assert np.abs(grey_of(grey_png(np.stack([samples] * 3, axis=-1))) - EXPECTED).max() <= 1


def test_colour_of_16_bits_is_luma() -> None:
    weights = np.array([0.2, 1.0, 0.6])
    samples = np.rint(PICTURE[..., None] * 4095 * weights).astype(np.uint16)
    luma = samples @ np.array([0.299, 0.587, 0.114])

    assert np.abs(grey_of(grey_png(samples)) - luma / 4095 * 255).max() <= 1


def test_16_bits_with_transparency_lie_on_black() -> None:
    opacity = np.full_like(DEEP, 65535)
    opacity[:48] = 32768
    half = EXPECTED * (opacity / 65535)
    grey_and_opacity = np.stack([DEEP, opacity], axis=-1)
    colour_and_opacity = np.stack([DEEP, DEEP, DEEP, opacity], axis=-1)

    assert np.abs(grey_of(grey_png(grey_and_opacity)) - half).max() <= 1
    assert np.abs(grey_of(grey_png(colour_and_opacity)) - half).max() <= 1


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    """After the header chunk."""
    return data[:33] + chunk(kind, content) + data[33:]


def test_the_transparent_colour_of_16_bits_is_black() -> None:
    samples = np.stack([DEEP] * 3, axis=-1)
    samples[:10] = (1, 2, 3000)
    data = with_chunk(grey_png(samples), b"tRNS", struct.pack(">3H", 1, 2, 3000))
    grey = grey_of(data)

    assert (grey[:10] == 0).all()
    assert np.abs(grey - EXPECTED)[10:].max() <= 1


def test_a_turned_picture_of_16_bits_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    content = exif.tobytes().removeprefix(b"Exif\0\0")
    lying = np.rot90(DEEP)

    for samples in (lying, np.stack([lying] * 3, axis=-1)):
        grey = grey_of(with_chunk(grey_png(np.ascontiguousarray(samples)), b"eXIf", content))
        assert np.abs(grey - EXPECTED).max() <= 1


def interlaced(samples: np.ndarray) -> bytes:
    """Adam7 by hand: no encoder at hand writes it."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    raw = b""
    for top, left, down, across in passes:
        for row in samples[top::down, left::across]:
            raw += b"\0" + row.astype(">u2").tobytes()
    rows, columns, channels = samples.shape
    kind = {2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", columns, rows, 16, kind, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_interlaced_16_bits_are_the_same_picture(channels: int) -> None:
    samples = np.stack([DEEP] * channels, axis=-1)
    if channels != 3:
        samples[..., -1] = 65535

    assert np.abs(grey_of(interlaced(samples)) - EXPECTED).max() <= 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_cut_short_are_invalid(channels: int) -> None:
    samples = np.random.default_rng(1).integers(0, 65536, (60, 60, channels), dtype=np.uint16)
    data = grey_png(samples[..., 0] if channels == 1 else samples)

    with pytest.raises(InvalidInput, match="damaged"):
        read_radiograph(data[: len(data) // 2])


def test_an_animated_png_of_16_bits_in_colour_is_its_first_picture() -> None:
    data = grey_png(np.stack([DEEP] * 3, axis=-1))
    rows, columns = DEEP.shape
    control = struct.pack(">IIIIIHHBB", 0, columns, rows, 0, 0, 1, 10, 0, 0)
    animated = with_chunk(with_chunk(data, b"fcTL", control), b"acTL", struct.pack(">II", 1, 0))

    assert np.abs(grey_of(animated) - EXPECTED).max() <= 1
