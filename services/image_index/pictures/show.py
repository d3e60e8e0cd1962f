"""Pictures for people: a thumbnail, and the same with a label's class-activation grid laid over it."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from services.image_index.pictures.radiograph import Grey

THUMBNAIL_SIDE = 256
_OPACITY = 0.55


def thumbnail_of(grey: Grey) -> bytes:
    """JPEG, longest side THUMBNAIL_SIDE, aspect kept; a smaller picture stays as it is."""
    picture = Image.fromarray(np.ascontiguousarray(grey))
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def heatmap_over(thumbnail: bytes, grid: NDArray[np.float16]) -> bytes:
    """PNG: the thumbnail with `grid` (h, w) in warm colours, transparent where it is lowest.

    Scaled from the grid's least to its greatest value: it shows where, not how much.
    """
    with Image.open(io.BytesIO(thumbnail), formats=["JPEG"]) as picture:
        base = picture.convert("RGB")
    values = grid.astype(np.float32)
    spread = float(values.max() - values.min())
    heat = (values - values.min()) / spread if spread > 0 else np.zeros_like(values)
    smooth = Image.fromarray(np.rint(heat * 255).astype(np.uint8)).resize(base.size, Image.Resampling.BICUBIC)
    warm = ImageOps.colorize(smooth, black="#7f0000", mid="#ff4000", white="#ffe11a")
    opacity = smooth.point([round(255 * _OPACITY * (value / 255) ** 2) for value in range(256)])
    base.paste(warm, mask=opacity)
    out = io.BytesIO()
    base.save(out, "PNG")
    return out.getvalue()
