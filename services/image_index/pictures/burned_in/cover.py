"""Covers regions of a picture."""

import math
from collections.abc import Iterable

import numpy as np

from services.image_index.pictures.burned_in.reader import Region
from services.image_index.pictures.radiograph import Grey

_MARGIN = 0.35  # of a region's shorter side, which is about the height of its letters
_AROUND = 2 * _MARGIN  # beyond the margin


def covered(grey: Grey, regions: Iterable[Region]) -> Grey:
    """A copy with every region, and a margin, in one grey: the median of what lies around it."""
    result = grey.copy()
    for region in regions:
        inner, outer = _part(grey, region, _MARGIN), _part(grey, region, _MARGIN + _AROUND)
        around = np.zeros(grey.shape, dtype=np.bool_)
        around[outer] = True
        around[inner] = False
        seen = grey[around]
        result[inner] = np.median(seen) if seen.size else 0
    return result


def _part(grey: Grey, region: Region, margin: float) -> tuple[slice, slice]:
    rows, columns = grey.shape
    left, right, top, bottom = (
        region.left * columns,
        region.right * columns,
        region.top * rows,
        region.bottom * rows,
    )
    margin_px = margin * min(right - left, bottom - top) + 1
    return (
        slice(max(0, math.floor(top - margin_px)), min(rows, math.ceil(bottom + margin_px))),
        slice(max(0, math.floor(left - margin_px)), min(columns, math.ceil(right + margin_px))),
    )
