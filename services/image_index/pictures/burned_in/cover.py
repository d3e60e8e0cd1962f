"""Covers regions of a picture."""

import math
from collections.abc import Iterable

import numpy as np

from services.image_index.pictures.burned_in.reader import Region
from services.image_index.pictures.radiograph import Grey

# Margins, as parts of the height of a line.
_ALONG = 1.0  # letters that fade into what is behind them are cut off a region's ends
_ACROSS = 0.35
_AROUND = 1.0  # what is looked at beyond them


def covered(grey: Grey, regions: Iterable[Region]) -> Grey:
    """A copy with every region, and a margin, in one grey: the median of what lies around it."""
    result = grey.copy()
    for region in regions:
        inner, outer = _part(grey, region, 0), _part(grey, region, _AROUND)
        around = np.zeros(grey.shape, dtype=np.bool_)
        around[outer] = True
        around[inner] = False
        seen = grey[around]
        result[inner] = np.median(seen) if seen.size else 0
    return result


def _part(grey: Grey, region: Region, more: float) -> tuple[slice, slice]:
    """Of the picture: the region with its margins and `more`."""
    rows, columns = grey.shape
    left, right = region.left * columns, region.right * columns
    top, bottom = region.top * rows, region.bottom * rows
    is_upright = bottom - top > right - left
    height = min(right - left, bottom - top)
    across, along = ((margin + more) * height + 1 for margin in (_ACROSS, _ALONG))
    over, beside = (along, across) if is_upright else (across, along)
    return (
        slice(max(0, math.floor(top - over)), min(rows, math.ceil(bottom + over))),
        slice(max(0, math.floor(left - beside)), min(columns, math.ceil(right + beside))),
    )
