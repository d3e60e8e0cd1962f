"""Damaged files: bytes changed anywhere, and DICOM elements changed where a parser or a decoder believes them."""

import io
import struct
from functools import cache
from random import Random

import imagecodecs
import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.image_index.pictures.dicom import compressed, encodings
from tests.image_index.pictures.dicom.made_dicom import made_picture, to_bytes

_PICTURE = Image.fromarray(np.rint(made_picture() * 255).astype(np.uint8))
_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEG2000,
    JPEG2000Lossless,
    HTJ2K,
    HTJ2KLossless,
    RLELossless,
    "1.2.840.10008.1.2.4.53",
    "1.2.840.10008.1.2.4.100",
    "1.2.3",
    "",
)
_NUMBERS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PlanarConfiguration",
)
_EDGES = (0, 1, 2, 3, 7, 8, 12, 15, 16, 17, 32, 64, 255, 256, 0x7FFF, 0x8000, 0xFFFF)
_PHOTOMETRICS = (
    "MONOCHROME1",
    "MONOCHROME2",
    "RGB",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_RCT",
    "PALETTE COLOR",
    "CMYK",
    "",
)
_STRINGS = {
    "NumberOfFrames": ("0", "2", "-1", "99999999", "x"),
    "WindowWidth": ("0", "-1", "1e-300", "1e300", "nan", "1\\2\\3", "0\\3000", "USER\\3,5"),
    "WindowCenter": ("0", "-1e300", "1e300", "inf", "\\"),
    "RescaleSlope": ("0", "-1", "1e300", "1e-300", "nan", "x"),
    "RescaleIntercept": ("1e300", "-1e300", "x"),
    "PixelSpacing": ("0\\0", "1e300\\1e-300", "0.1", "-1\\1"),
    "PixelAspectRatio": ("1\\4", "4\\1", "0\\1"),
}
_VRS = (b"SQ", b"UN", b"OB", b"OW", b"UT", b"US", b"DS", b"IS", b"PN", b"\0\0", b"ZZ", b"FD")


def _picture(kind: str, mode: str = "L", **options: object) -> bytes:
    out = io.BytesIO()
    _PICTURE.convert(mode).save(out, kind, **options)
    return out.getvalue()


@cache
def pictures() -> tuple[bytes, ...]:
    deep = io.BytesIO()
    Image.fromarray(np.asarray(_PICTURE).astype(np.uint16) * 16).save(deep, "PNG")
    return (
        _picture("PNG"),
        _picture("PNG", "P"),
        _picture("PNG", "RGBA"),
        deep.getvalue(),
        imagecodecs.png_encode(np.stack([np.asarray(_PICTURE).astype(np.uint16) * 16] * 3, axis=-1)),
        imagecodecs.png_encode(np.stack([np.asarray(_PICTURE).astype(np.uint16) * 16] * 2, axis=-1)),
        _picture("PNG", save_all=True, append_images=[_PICTURE.rotate(180)]),
        _picture("JPEG"),
        _picture("JPEG", "CMYK"),
        _picture("JPEG", "RGB", progressive=True),
        imagecodecs.jpegls_encode(np.asarray(_PICTURE)),
    )


@cache
def dicom_files() -> tuple[bytes, ...]:
    every = {**encodings.ENCODINGS, **compressed.ENCODINGS}
    return tuple(make() for name, make in every.items() if not name.startswith("PNG"))


def damaged(random: Random) -> bytes:
    kind = random.random()
    data = random.choice(pictures() if kind < 0.25 else dicom_files())
    if kind > 0.5:
        data = with_other_elements(data, random)
    if kind > 0.8:
        data = with_other_structure(data, random)
    if kind > 0.95:
        data = data[random.choice((128, 132)) :]  # without its preamble
    return with_other_bytes(data, random) if kind < 0.65 or kind > 0.9 else data


def with_other_bytes(data: bytes, random: Random) -> bytes:
    out = bytearray(data)
    for _ in range(random.randint(1, 8)):
        # Headers lie at the start: damage there reaches further than damage among the pixels.
        place = random.randrange(min(len(out), 1500) if random.random() < 0.6 else len(out))
        out[place : place + random.randint(0, 4)] = random.randbytes(random.randint(0, 6))
        if not out:
            return b"\0"
    return bytes(out[: random.randint(1, len(out))] if random.random() < 0.2 else out)


def with_other_elements(data: bytes, random: Random) -> bytes:
    """A well-formed file whose elements say what is not so."""
    dataset = dcmread(io.BytesIO(data))
    for _ in range(random.randint(1, 3)):
        _change(dataset, random)
    try:
        return to_bytes(dataset)
    except Exception:  # noqa: BLE001 - pydicom does not write everything
        return data


def _change(dataset: Dataset, random: Random) -> None:
    match random.randrange(6):
        case 0:
            setattr(dataset, random.choice(_NUMBERS), random.choice(_EDGES))
        case 1:
            dataset.PhotometricInterpretation = random.choice(_PHOTOMETRICS)
        case 2:
            keyword = random.choice(sorted(_STRINGS))
            dataset._dict.pop(dataset.data_element(keyword).tag, None) if keyword in dataset else None
            try:
                setattr(dataset, keyword, random.choice(_STRINGS[keyword]).split("\\"))
            except (ValueError, OverflowError):
                setattr(dataset, keyword, "1")
        case 3 if "PixelData" in dataset:
            cut = random.randrange(len(dataset.PixelData) + 1)
            dataset.PixelData = dataset.PixelData[: cut - cut % 2]
        case 4:
            keyword = random.choice([element.keyword for element in dataset if element.keyword])
            delattr(dataset, keyword)
        case _:
            dataset.PixelPaddingValue = random.choice((0, 1, 4095, 0x7FFF))
            dataset.PixelPaddingRangeLimit = random.choice((0, 4095, 0x7FFF))


def with_other_structure(data: bytes, random: Random) -> bytes:
    """Transfer syntax, VRs and lengths changed in the bytes, as no writer would write them."""
    out = bytearray(data)
    for _ in range(random.randint(1, 3)):
        if random.random() < 0.3:
            _swap_syntax(out, str(random.choice(_SYNTAXES)).encode())
            continue
        place = _some_element(out, random)
        if place is None:
            continue
        if random.random() < 0.5:
            out[place + 4 : place + 6] = random.choice(_VRS)
        else:
            struct.pack_into("<H", out, place + 6, random.choice((0, 1, 2, 3, 8, 0x7FFF, 0xFFFE, 0xFFFF)))
    return bytes(out)


def _swap_syntax(out: bytearray, syntax: bytes) -> None:
    start = out.find(b"\x02\x00\x10\x00UI")
    if start < 0:
        return
    length = int.from_bytes(out[start + 6 : start + 8], "little")
    value = syntax + b"\0" * (len(syntax) % 2)
    out[start + 6 : start + 8 + length] = len(value).to_bytes(2, "little") + value


def _some_element(out: bytearray, random: Random) -> int | None:
    """Where an explicit-VR element begins: two capital letters after a tag of a group that radiographs have."""
    groups = (0x08, 0x10, 0x18, 0x20, 0x28, 0x7FE0)
    places = [
        place
        for place in range(132, min(len(out) - 12, 4000))
        if int.from_bytes(out[place : place + 2], "little") in groups and out[place + 4 : place + 6].isalpha()
    ]
    return random.choice(places) if places else None
