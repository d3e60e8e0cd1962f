"""Stored values to 8-bit grey, in the order of the DICOM standard (PS3.3 C.7.6.3, C.11): modality LUT or rescale, VOI
LUT or window, scaling by the range of that transform, inversion, padding.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from services.image_index.radiograph import Grey

Values = NDArray[np.float32]
_PERCENTILES = (0.5, 99.5)
_SAMPLE = 1_000_000  # pixels that percentiles are taken from


def to_grey(stored: NDArray[Any], dataset: Dataset) -> Grey:
    """(rows, columns) stored values to (rows, columns) uint8; padding pixels are 0."""
    padding = _padding(stored, dataset)
    shown = _to_unit_range(_modality(stored, dataset), dataset, padding)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1" or dataset.get("PresentationLUTShape") == "INVERSE":
        shown = 1 - shown
    grey = np.rint(shown * 255).astype(np.uint8)
    if padding is not None:
        grey[padding] = 0
    return grey


def _padding(stored: NDArray[Any], dataset: Dataset) -> NDArray[np.bool_] | None:
    if dataset.get("PixelPaddingValue") is None:
        return None
    bits = int(dataset.BitsStored)
    ends = [_signed(int(dataset.PixelPaddingValue), bits, dataset)]
    if dataset.get("PixelPaddingRangeLimit") is not None:
        ends.append(_signed(int(dataset.PixelPaddingRangeLimit), bits, dataset))
    return np.asarray((stored >= min(ends)) & (stored <= max(ends)))


def _signed(value: int, bits: int, dataset: Dataset) -> int:
    """The value as the pixels have it: some writers give a negative one as unsigned."""
    signed = int(dataset.PixelRepresentation) == 1
    return (
        value - 2**16
        if signed and value >= 2**15
        else value - 2**bits
        if signed and value >= 2 ** (bits - 1)
        else value
    )


def _modality(stored: NDArray[Any], dataset: Dataset) -> Values:
    if dataset.get("ModalityLUTSequence"):
        table, first, _bits = _lookup_table(dataset.ModalityLUTSequence[0], lowest=float(stored.min()))
        return _look_up(stored.astype(np.float32), table, first)
    slope = float(_first(dataset.get("RescaleSlope")) or 1)
    intercept = float(_first(dataset.get("RescaleIntercept")) or 0)
    return stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)


def _to_unit_range(values: Values, dataset: Dataset, padding: NDArray[np.bool_] | None) -> Values:
    if dataset.get("VOILUTSequence"):
        table, first, bits = _lookup_table(dataset.VOILUTSequence[0], lowest=float(values.min()))
        return _look_up(values, table, first) / np.float32(2**bits - 1)
    center, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if center is not None and width is not None and float(width) > 0:
        return _window(values, float(center), float(width), str(dataset.get("VOILUTFunction") or "LINEAR"))
    return _stretch(values, padding)


def _window(values: Values, center: float, width: float, function: str) -> Values:
    if function == "SIGMOID":
        # Beyond ±30 the curve is flat to the last bit of float32; clipping keeps exp from overflowing.
        return np.asarray(1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -30, 30))))
    if function == "LINEAR_EXACT":
        return np.asarray(np.clip((values - center) / width + 0.5, 0, 1))
    return np.asarray(np.clip((values - (center - 0.5)) / max(width - 1, 1e-6) + 0.5, 0, 1))


def _stretch(values: Values, padding: NDArray[np.bool_] | None) -> Values:
    """No VOI transform: from the low to the high percentile of the pixels that are not padding."""
    pixels = values.ravel() if padding is None else values[~padding]
    if pixels.size == 0:
        return np.zeros_like(values)
    low, high = np.percentile(pixels[:: max(1, pixels.size // _SAMPLE)], _PERCENTILES)
    return np.asarray(np.clip((values - np.float32(low)) / np.float32(max(high - low, 1e-6)), 0, 1))


def _lookup_table(item: Dataset, *, lowest: float) -> tuple[Values, int, int]:
    """(table, first value mapped, bits of its entries). The bits are those that the entries use, where the descriptor
    claims more: a 12-bit table described as 16-bit would come out black.
    """
    entries, first, bits = (int(value) for value in item.LUTDescriptor)
    if first >= 2**15 and lowest < 0:
        first -= 2**16  # written as unsigned, meant as signed
    data = item.LUTData
    if isinstance(data, bytes):
        table = np.frombuffer(data, dtype="<u2" if bits > 8 or len(data) >= 2 * (entries or 2**16) else "u1")
    else:
        table = np.array(data, dtype=np.uint32)
    table = table[: entries or 2**16]
    used = max(8, int(table.max()).bit_length())
    return table.astype(np.float32), first, min(bits, used) if bits >= 8 else used


def _look_up(values: Values, table: Values, first: int) -> Values:
    positions = np.clip(np.rint(values) - first, 0, len(table) - 1).astype(np.intp)
    return np.asarray(table[positions])


def _first(value: Any) -> Any:
    if isinstance(value, MultiValue | list):
        return value[0] if value else None
    return value
