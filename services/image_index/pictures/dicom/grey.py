"""Stored values to 8-bit grey, in the order of the DICOM standard (PS3.3 C.7.6.3, C.11): modality LUT or rescale, VOI
LUT or window, scaling by the range of that transform, inversion, padding.

The grey of a pixel depends on its stored value alone, so the whole chain runs over the values that occur, not over the
pixels: some thousands in place of millions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.lookup_tables import Values, lookup_table
from services.image_index.pictures.dicom.numbers import first_number
from services.image_index.pictures.radiograph import Grey

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
_PERCENTILES = (0.005, 0.995)


@dataclass(frozen=True)
class _Pixels:
    values: NDArray[np.int64]  # (V,) every stored value from the lowest to the highest: 65,536 at most
    positions: NDArray[Any]  # (rows, columns): where each pixel's value is in `values`

    def counts(self) -> NDArray[np.int64]:
        return np.bincount(self.positions.ravel(), minlength=len(self.values))


def to_grey(stored: NDArray[Any], dataset: Dataset) -> Grey:
    """(rows, columns) stored values, or (rows, columns, 3) colours, to (rows, columns) uint8; padding pixels are 0."""
    if stored.ndim == 3:
        # Windows and rescaling are for grey objects only.
        bits = _bits(dataset) if dataset.SamplesPerPixel == 3 else 8 * stored.dtype.itemsize  # of a palette's colours
        return np.asarray(np.rint(np.clip(stored @ _LUMA * (255 / ((1 << bits) - 1)), 0, 255)), dtype=np.uint8)
    pixels = _distinct(stored)
    padding = _padding(pixels.values, dataset)
    shown = _to_unit_range(_modality(pixels.values.astype(np.float64), dataset), dataset, pixels, padding)
    if _is_inverse(dataset):
        shown = 1 - shown
    greys = np.rint(shown * 255).astype(np.uint8)
    greys[padding] = 0
    return np.asarray(greys[pixels.positions])


def _distinct(stored: NDArray[Any]) -> _Pixels:
    low, high = min(0, int(stored.min())), int(stored.max())
    return _Pixels(np.arange(low, high + 1), stored if low == 0 else stored.astype(np.int32) - low)


def _padding(values: NDArray[np.int64], dataset: Dataset) -> NDArray[np.bool_]:
    """(V,) whether a value stands for no exposure at all."""
    if dataset.get("PixelPaddingValue") is None:
        return np.zeros(len(values), dtype=np.bool_)
    ends = [_as_stored(int(dataset.PixelPaddingValue), dataset)]
    if dataset.get("PixelPaddingRangeLimit") is not None:
        ends.append(_as_stored(int(dataset.PixelPaddingRangeLimit), dataset))
    return np.asarray((values >= min(ends)) & (values <= max(ends)))


def _as_stored(value: int, dataset: Dataset) -> int:
    """The value as the pixels have it: some writers give a negative one as unsigned."""
    if int(dataset.PixelRepresentation) == 1:
        for bits in (_bits(dataset), 16):
            if 1 << (bits - 1) <= value < 1 << bits:
                return value - (1 << bits)
    return value


def _bits(dataset: Dataset) -> int:
    return int(dataset.BitsStored)


def _modality(values: Values, dataset: Dataset) -> Values:
    if dataset.get("ModalityLUTSequence"):
        return lookup_table(dataset.ModalityLUTSequence[0], lowest=float(values.min()))(values)
    slope, intercept = _rescaling(dataset)
    return values * slope + intercept


def _rescaling(dataset: Dataset) -> tuple[float, float]:
    """(slope, intercept). A slope of 0 would leave no picture: it is taken as not given."""
    return first_number(dataset, "RescaleSlope") or 1.0, first_number(dataset, "RescaleIntercept") or 0.0


def _to_unit_range(values: Values, dataset: Dataset, pixels: _Pixels, padding: NDArray[np.bool_]) -> Values:
    if dataset.get("VOILUTSequence"):
        table = lookup_table(dataset.VOILUTSequence[0], lowest=float(values.min()))
        return table(values) / ((1 << table.bits) - 1)
    center, width = first_number(dataset, "WindowCenter"), first_number(dataset, "WindowWidth")
    if center is not None and width is not None and width > 0:
        return _window(values, center, width, str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper())
    if _is_display_ready(dataset):
        return np.asarray(np.clip(values / ((1 << _bits(dataset)) - 1), 0, 1))
    return _stretch(values, np.where(padding, 0, pixels.counts()))


def _is_display_ready(dataset: Dataset) -> bool:
    """8 bits without any transform were made to be looked at, as those of a PNG: stretching them would take contrast
    from one picture and give it to another.
    """
    return (
        _bits(dataset) <= 8
        and int(dataset.PixelRepresentation) == 0
        and not dataset.get("ModalityLUTSequence")
        and _rescaling(dataset) == (1.0, 0.0)
    )


def _window(values: Values, center: float, width: float, function: str) -> Values:
    """In [0, 1] (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        # Beyond ±30 the curve is flat to the last bit of what is shown; clipping keeps exp from overflowing.
        return np.asarray(1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -30, 30))))
    if function == "LINEAR_EXACT":
        return np.asarray(np.clip((values - center) / width + 0.5, 0, 1))
    return np.asarray(np.clip((values - (center - 0.5)) / max(width - 1, 1e-6) + 0.5, 0, 1))


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
    return str(photometric).strip() == "MONOCHROME1" or str(shape).strip() == "INVERSE"
