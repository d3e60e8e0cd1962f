"""PNG of 16 bits a sample to 8-bit grey. Of colour, and of grey with transparency, Pillow keeps the high bytes alone,
which are next to nothing of a 12-bit detector's picture: here it is asked for both bytes.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps

from services.image_index.pictures.radiograph import Grey

_GREY_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_COLOUR_OR_TRANSPARENT = ("RGB;16B", "RGBA;16B", "LA;16B")
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_MOST = 65535
_MARKED = 0.05  # of the pixels: what a marker burnt into a picture may cover


def is_deep(picture: Image.Image) -> bool:
    return picture.mode in _GREY_MODES or _layout(picture) in _COLOUR_OR_TRANSPARENT


def read_deep(picture: Image.Image, data: bytes) -> Grey:
    """`picture` is opened from `data`, and not loaded yet. Upright by its EXIF orientation, colour as luma,
    transparency on black.
    """
    layout = _layout(picture)
    if layout == "LA;16B":
        pixels = np.asarray(_loaded_as(picture, "I", "I;32B")).view(np.uint32)  # both samples of a pixel in one number
        grey = _on_black(_to_eight_bits((pixels >> 16).astype(np.uint16)), pixels & _MOST)
    elif layout in _COLOUR_OR_TRANSPARENT:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as again:
            # Read as if their bytes lay the other way round, the "high" bytes are the low ones.
            low = _loaded_as(again, again.mode, layout.replace("16B", "16L"))
        picture.load()
        grey = _from_colour(picture, low)
    else:
        picture.load()
        grey = _to_eight_bits(np.clip(np.asarray(picture), 0, _MOST).astype(np.uint16))
    return _upright(grey, picture)


def _layout(picture: Image.Image) -> str:
    """How the file's samples lie, in Pillow's words."""
    tiles = picture.tile if isinstance(picture, ImageFile.ImageFile) else []
    return str(tiles[0].args) if tiles else ""


def _loaded_as(picture: Image.Image, mode: str, layout: str) -> Image.Image:
    if isinstance(picture, ImageFile.ImageFile):
        picture._mode = mode  # noqa: SLF001 - Pillow offers no other way to say how samples are to be read
        picture.tile = [picture.tile[0]._replace(args=layout)]
    picture.load()
    return picture


def _from_colour(high: Image.Image, low: Image.Image) -> Grey:
    transparent = high.info.get("transparency")  # the one colour that is, as (red, green, blue)
    luma = np.zeros((high.height, high.width), dtype=np.float32)
    is_seen = np.zeros(luma.shape, dtype=np.bool_)
    for band, weight in enumerate(_LUMA):
        channel = _both_bytes(high, low, band)
        luma += channel * np.float32(weight)
        if isinstance(transparent, tuple):
            is_seen |= channel != transparent[band]
    grey = _to_eight_bits(np.rint(luma, out=luma).astype(np.uint16))
    if len(high.getbands()) == 4:
        return _on_black(grey, _both_bytes(high, low, 3))
    return grey * is_seen if isinstance(transparent, tuple) else grey


def _both_bytes(high: Image.Image, low: Image.Image, band: int) -> NDArray[np.uint16]:
    both = np.asarray(high.getchannel(band)).astype(np.uint16) << 8
    return np.asarray(both | np.asarray(low.getchannel(band)))


def _on_black(grey: Grey, opacity: NDArray[Any]) -> Grey:
    return np.asarray(np.rint(grey * (opacity / np.float32(_MOST))), dtype=np.uint8)


def _to_eight_bits(samples: NDArray[np.uint16]) -> Grey:
    levels = np.arange(_MOST + 1) * (255 / ((1 << _depth(samples)) - 1))
    return np.asarray(np.rint(np.minimum(levels, 255)).astype(np.uint8)[samples])


def _depth(samples: NDArray[np.uint16]) -> int:
    """Exports of 10- to 15-bit detectors fill only the low bits of the container: the depth is taken as the fewest
    bits, from 8 on, that hold the largest sample. A marker burnt in far above everything else does not count.
    """
    counts = np.zeros(_MOST + 1, dtype=np.int64)
    for rows in np.array_split(samples, 16):  # numpy makes numbers of 64 bits of what it counts
        counts += np.bincount(rows.ravel(), minlength=_MOST + 1)
    above = [int(counts[1 << bits :].sum()) for bits in range(17)]  # how many samples need more than so many bits
    whole = next(bits for bits in range(8, 17) if above[bits] == 0)
    without = next(bits for bits in range(8, 17) if above[bits] <= _MARKED * samples.size)
    outliers = counts[1 << without :]  # of a marker, most are of one value, and next to none lie on the way there
    is_apart = whole - without >= 2 and above[without] - above[whole - 1] <= above[without] / 4
    is_apart = is_apart and int(outliers.max(initial=0)) > above[without] / 2
    return without if is_apart else whole


def _upright(grey: Grey, picture: Image.Image) -> Grey:
    orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    if orientation == 1:
        return grey
    turned = Image.fromarray(grey)
    turned.getexif()[ExifTags.Base.Orientation] = orientation
    return np.asarray(ImageOps.exif_transpose(turned))
