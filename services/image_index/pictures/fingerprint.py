"""256 bits by which a picture is known again when it was saved anew, scaled, or windowed a little differently.

A perceptual hash (Zauner, 2010): the signs of the lowest frequencies of the cosine transform. Of the ranks of the grey
values, so that a monotone change of them changes nothing. Of a picture as people are shown it: the thumbnail.
"""

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

_SIDE = 64
_LOWEST = 16  # frequencies of each axis; the constant is left out
_WAVES = np.cos(np.pi / _SIDE * np.outer(np.arange(1, _LOWEST + 1), np.arange(_SIDE) + 0.5))


def fingerprint_of(thumbnail: bytes) -> bytes | None:
    """None where it is no JPEG, or of one grey, of which there is nothing to know it by."""
    try:
        with Image.open(io.BytesIO(thumbnail), formats=["JPEG"]) as picture:
            small = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError):
        return None
    grey = np.asarray(small, dtype=np.float64)
    if grey.min() == grey.max():
        return None
    order = grey.ravel().argsort(kind="stable")
    ranks = np.empty(order.size)
    ranks[order] = np.arange(order.size)
    lowest = _WAVES @ ranks.reshape(grey.shape) @ _WAVES.T
    return np.packbits(lowest > 0).tobytes()
