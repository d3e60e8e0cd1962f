"""Small files that would become large, or take long: a 413 before that happens."""

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from shared.errors import InvalidInput, PayloadTooLarge
from tests.image_index.pictures.dicom.made_dicom import encapsulated, made_dicom, to_bytes

pytestmark = pytest.mark.slow

SMALL = np.zeros((64, 64), dtype=np.uint8)
ITEM, UNDEFINED_ITEM = b"\xfe\xff\x00\xe0\0\0\0\0", b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
SEQUENCE, SEQUENCE_END = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff", b"\xfe\xff\xdd\xe0\0\0\0\0"


def png(side: int) -> bytes:
    """Claims `side`² pixels and holds none."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def animated_png() -> bytes:
    out = io.BytesIO()
    first, *others = (Image.new("L", (8, 8), level) for level in range(100))
    first.save(out, "PNG", save_all=True, append_images=others)
    return out.getvalue()


def jpeg(*, claims: int | None = None, more_scans: int = 0) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).save(out, "JPEG", progressive=more_scans > 0)
    code = bytearray(out.getvalue())
    if claims:
        place = code.index(b"\xff\xc0") + 5
        code[place : place + 4] = struct.pack(">HH", claims, claims)
    return bytes(code[:-2]) + b"\xff\xda\x00\x08\x01\x01\x00\x01\x05\x02\x00\x00" * more_scans + b"\xff\xd9"


def jpeg_2000(claims: int, tile: int) -> bytes:
    code = bytearray(imagecodecs.jpeg2k_encode(SMALL, level=0, codecformat="j2k"))
    place = code.index(b"\xff\x51") + 6
    code[place : place + 24] = struct.pack(">6I", claims, claims, 0, 0, tile, tile)
    return bytes(code)


def in_dicom(code: bytes, syntax: str, *, side: int = 64) -> bytes:
    return encapsulated(made_dicom(SMALL, bits=8, Rows=side, Columns=side), code, syntax)


def deflated(body: bytes) -> bytes:
    """A deflated file whose data set is `body` alone."""
    dataset = made_dicom()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data = to_bytes(dataset)
    meta = data[: 144 + int.from_bytes(data[140:144], "little")]  # group length at 132, 12 bytes of it
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return meta + deflater.compress(body) + deflater.flush()


def with_elements(elements: bytes) -> bytes:
    data = to_bytes(made_dicom())
    place = data.index(b"\x08\x00\x60\x00CS")  # Modality
    return data[:place] + elements + data[place:]


def empty_elements(number: int) -> bytes:
    return b"".join(struct.pack("<HH2sH", 9 + 2 * (n >> 16), n & 0xFFFF, b"LO", 0) for n in range(number))


LIMITS = Limits(max_bytes=8 * 2**20, max_pixels=1_000_000, max_frames=8)
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "too many bytes": (lambda: png(64) + bytes(9 * 2**20), "bytes"),
    "a PNG of many pixels": (lambda: png(2000), "pixels"),
    "a PNG of very many pixels": (lambda: png(60_000), "pixels"),
    "an animated PNG of many frames": (animated_png, "frames"),
    "a JPEG of many pixels": (lambda: jpeg(claims=60_000), "pixels"),
    "a progressive JPEG of many scans": (lambda: jpeg(more_scans=1000), "scans"),
    "a DICOM header of many pixels": (lambda: to_bytes(made_dicom(Rows=60_000, Columns=60_000)), "pixels"),
    "many frames": (lambda: to_bytes(made_dicom(NumberOfFrames=1000)), "frames"),
    "many frames, compressed": (
        lambda: encapsulated(made_dicom(SMALL, bits=8, NumberOfFrames=9), [jpeg()] * 9, JPEGBaseline8Bit),
        "frames",
    ),
    "a JPEG in DICOM of many pixels": (lambda: in_dicom(jpeg(claims=60_000), JPEGBaseline8Bit), "pixels"),
    "a progressive JPEG in DICOM of many scans": (lambda: in_dicom(jpeg(more_scans=1000), JPEGBaseline8Bit), "scans"),
    "the same under a retired name": (lambda: in_dicom(jpeg(more_scans=1000), "1.2.840.10008.1.2.4.55"), "scans"),
    "a JPEG 2000 of many pixels": (lambda: in_dicom(jpeg_2000(100_000, 100_000), JPEG2000Lossless), "pixels"),
    "a JPEG 2000 of many tiles": (lambda: in_dicom(jpeg_2000(900, 1), JPEG2000Lossless, side=900), "tiles"),
    "an HTJ2K of many pixels": (lambda: in_dicom(jpeg_2000(100_000, 100_000), HTJ2KLossless), "pixels"),
    "a JPEG-LS of many pixels": (
        lambda: in_dicom(b"\xff\xd8\xff\xf7\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00", JPEGLSLossless),
        "pixels",
    ),
    "RLE of many pixels": (lambda: in_dicom(bytes(64), RLELossless, side=60_000), "pixels"),
    "a deflated file that inflates a thousandfold": (lambda: deflated(bytes(2**26)), "Inflated"),
    "a sequence of many items": (lambda: with_elements(SEQUENCE + ITEM * 30_000 + SEQUENCE_END), "elements"),
    "a header of many elements": (lambda: with_elements(empty_elements(30_000)), "elements"),
    "an item of many elements": (
        lambda: with_elements(SEQUENCE + UNDEFINED_ITEM + empty_elements(30_000)),
        "elements",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_grow_beyond_the_limits_is_refused_before_it_does(name: str) -> None:
    make, says = BOMBS[name]
    data = make()
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLarge, match=says):
            read_radiograph(data, LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 40 * 2**20


def test_of_a_long_list_of_windows_a_few_are_tried() -> None:
    nowhere = [60_000] * 5_000
    data = to_bytes(made_dicom(WindowCenter=nowhere, WindowWidth=[1] * len(nowhere), VOILUTFunction="SIGMOID"))
    start = time.perf_counter()

    assert read_radiograph(data).grey.max() == 255
    assert time.perf_counter() - start < 1


def test_a_deflated_file_cut_short_is_invalid() -> None:
    with pytest.raises(InvalidInput, match="cut short"):
        read_radiograph(deflated(bytes(2**16))[:-4])


def test_sequences_nested_without_end_are_invalid() -> None:
    with pytest.raises(InvalidInput, match="damaged"):
        read_radiograph(with_elements((SEQUENCE + UNDEFINED_ITEM) * 20_000))


def test_more_components_than_the_header_says_are_invalid() -> None:
    code = bytearray(imagecodecs.jpeg2k_encode(SMALL, level=0, codecformat="j2k"))
    place = code.index(b"\xff\x51") + 38
    code[place : place + 2] = struct.pack(">H", 16_384)

    with pytest.raises(InvalidInput, match="SamplesPerPixel"):
        read_radiograph(in_dicom(bytes(code), JPEG2000Lossless))


def test_run_lengths_beyond_the_frame_are_not_expanded() -> None:
    runs = b"\x81\x07" * 1_000_000  # each pair of bytes stands for 128
    code = struct.pack("<16I", 1, 64, *[0] * 14) + runs
    data = encapsulated(made_dicom(SMALL, bits=8, WindowWidth=14, WindowCenter=7), code, RLELossless)

    assert read_radiograph(data).grey.shape == (64, 64)
