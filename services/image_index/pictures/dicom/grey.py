"""Stored values to 8-bit grey, in the order of the DICOM standard (PS3.3 C.7.6.3, C.11): modality LUT or rescale, VOI
LUT or window, scaling by the range of that transform, inversion, padding.

The grey of a pixel depends on its stored value alone, so the whole chain runs over the values that occur, not over the
pixels: some thousands in place of millions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.lookup_tables import Values, lookup_table
from services.image_index.pictures.dicom.numbers import first_number, integers_of
from services.image_index.pictures.dicom.windows import windows_of
from services.image_index.pictures.radiograph import Grey

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
_PERCENTILES = (0.005, 0.995)
_LEAST_SHOWN = 0.005  # share of the pixels that must not be of the one grey which all others are
_PLAINLY_SHOWN = 0.1  # where so many are neither black nor white, that need not be counted
_MOST_PADDINGS = 16
_A_FEW = 20  # rows, and columns
_HALF_A_LEVEL = 0.5 / 255


@dataclass(frozen=True)
class _Pixels:
    values: NDArray[np.int64]  # (V,) every stored value from the lowest to the highest: 65,536 at most
    positions: NDArray[Any]  # (rows, columns): where each pixel's value is in `values`

    def counts(self) -> NDArray[np.int64]:
        return np.bincount(self.positions.ravel(), minlength=len(self.values))

    def some(self) -> NDArray[Any]:
        """Positions of a few hundred pixels from all over the picture."""
        rows, columns = self.positions.shape
        return self.positions[:: rows // _A_FEW + 1, :: columns // _A_FEW + 1]


def to_grey(stored: NDArray[Any], dataset: Dataset) -> Grey:
    """(rows, columns) stored values, or (rows, columns, 3) colours, to (rows, columns) uint8; padding pixels are 0."""
    if stored.ndim == 3:
        # Windows and rescaling are for grey objects only.
        bits = _bits(dataset) if dataset.SamplesPerPixel == 3 else 8 * stored.dtype.itemsize  # of a palette's colours
        return np.asarray(np.rint(np.clip(stored @ _LUMA * (255 / ((1 << bits) - 1)), 0, 255)), dtype=np.uint8)
    pixels = _distinct(stored)
    padding = _padding(pixels.values, dataset)
    shown = _to_unit_range(pixels, dataset, padding)
    if _is_inverse(dataset):
        shown = 1 - shown
    greys = np.rint(shown * 255).astype(np.uint8)
    greys[padding] = 0
    return np.asarray(greys[pixels.positions])


def _distinct(stored: NDArray[Any]) -> _Pixels:
    low, high = min(0, int(stored.min())), int(stored.max())
    return _Pixels(np.arange(low, high + 1), stored if low == 0 else stored.astype(np.int32) - low)


def _padding(values: NDArray[np.int64], dataset: Dataset) -> NDArray[np.bool_]:
    """(V,) whether a value stands for no exposure at all. Of several values each does; with a limit, a range."""
    padded = np.zeros(len(values), dtype=np.bool_)
    if "PixelPaddingValue" not in dataset:
        return padded
    ends = [_as_stored(value, dataset) for value in integers_of(dataset, "PixelPaddingValue")]
    limits = [_as_stored(value, dataset) for value in integers_of(dataset, "PixelPaddingRangeLimit")]
    if ends and limits:
        return np.asarray((values >= min(ends[0], limits[0])) & (values <= max(ends[0], limits[0])))
    for end in ends[:_MOST_PADDINGS]:
        padded |= values == end
    return padded


def _as_stored(value: int, dataset: Dataset) -> int:
    """The value as the pixels have it: some writers give a negative one as unsigned."""
    if int(dataset.PixelRepresentation) == 1:
        for bits in (_bits(dataset), 16):
            if 1 << (bits - 1) <= value < 1 << bits:
                return value - (1 << bits)
    return value


def _bits(dataset: Dataset) -> int:
    return int(dataset.BitsStored)


def _rescaling(dataset: Dataset) -> tuple[float, float]:
    """(slope, intercept). A slope of 0 would leave no picture: it is taken as not given."""
    return first_number(dataset, "RescaleSlope") or 1.0, first_number(dataset, "RescaleIntercept") or 0.0


def _to_unit_range(pixels: _Pixels, dataset: Dataset, padding: NDArray[np.bool_]) -> Values:
    """(V,) in [0, 1], by the first transform that shows something of this picture."""
    stored = pixels.values.astype(np.float64)
    table = lookup_table(dataset, "ModalityLUTSequence", stored)
    slope, intercept = _rescaling(dataset)
    values = table(stored) if table else stored * slope + intercept
    for transform in _transforms(values, dataset, step=1.0 if table else min(1.0, abs(slope))):
        shown = transform(values)
        if _shows_something(shown, pixels, padding):
            return shown
    if table is None and (slope, intercept) == (1.0, 0.0) and _is_display_ready(dataset):
        return np.asarray(np.clip(values / ((1 << _bits(dataset)) - 1), 0, 1))
    return _stretch(values, np.where(padding, 0, pixels.counts()))


def _transforms(values: Values, dataset: Dataset, *, step: float) -> Iterator[Callable[[Values], Values]]:
    table = lookup_table(dataset, "VOILUTSequence", values)
    if table:
        yield lambda values: table(values) / ((1 << table.bits) - 1)
    yield from windows_of(dataset, step)


def _shows_something(shown: Values, pixels: _Pixels, padding: NDArray[np.bool_]) -> bool:
    """Whether a picture is left: a transform that is not this picture's makes all of it black, or all of it white. A
    picture of one value is one grey by any.
    """
    is_black, is_white = shown <= _HALF_A_LEVEL, shown >= 1 - _HALF_A_LEVEL
    if np.mean((is_black | is_white | padding)[pixels.some()]) < 1 - _PLAINLY_SHOWN:
        return True
    counts = np.where(padding, 0, pixels.counts())
    most = int(counts.sum()) * (1 - _LEAST_SHOWN)
    return int(np.count_nonzero(counts)) < 2 or max(int(counts[is_black].sum()), int(counts[is_white].sum())) <= most


def _is_display_ready(dataset: Dataset) -> bool:
    """8 bits without any transform were made to be looked at, as those of a PNG: stretching them would take contrast
    from one picture and give it to another.
    """
    return _bits(dataset) <= 8 and int(dataset.PixelRepresentation) == 0


def _stretch(values: Values, counts: NDArray[np.int64]) -> Values:
    """No VOI transform: from the low to the high percentile of the pixels that are not padding."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(counts[order])  # pixels with this value or a lower one
    if not below[-1]:
        return np.zeros_like(values)
    low, high = (values[order[np.searchsorted(below, share * below[-1])]] for share in _PERCENTILES)
    return np.asarray(np.clip((values - low) / max(high - low, 1e-6), 0, 1))


def _is_inverse(dataset: Dataset) -> bool:
    """MONOCHROME1 says that low values are bright, and so does PresentationLUTShape: one of them is enough, and both
    together invert once.
    """
    photometric, shape = dataset.get("PhotometricInterpretation"), dataset.get("PresentationLUTShape")
    return str(photometric).strip() == "MONOCHROME1" or str(shape).strip().upper() == "INVERSE"
