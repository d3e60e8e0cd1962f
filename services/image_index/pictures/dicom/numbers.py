"""Numbers of a DICOM header, however they are written."""

import struct
from math import isfinite
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

_MOST_VALUES = 2**16  # of a lookup table; everything else has a few
_MOST_BYTES = 64


def parts_of(dataset: Dataset, keyword: str) -> list[float | None]:
    """The values of an element, None for one that is no number. `2000,5` is 2000.5, as some countries write it."""
    return [_number(part) for part in _values(dataset, keyword)]


def numbers_of(dataset: Dataset, keyword: str) -> list[float]:
    """The values of an element; none at all where it is missing, empty, or one of them is no number."""
    parts = parts_of(dataset, keyword)
    numbers = [part for part in parts if part is not None]
    return numbers if len(numbers) == len(parts) else []


def first_number(dataset: Dataset, keyword: str) -> float | None:
    return next((part for part in parts_of(dataset, keyword) if part is not None), None)


def integers_of(dataset: Dataset, keyword: str) -> list[int]:
    """The whole numbers among the values of an element; of bytes (VR OW, OB or UN), its first 16-bit words."""
    return [int(part) for part in parts_of(dataset, keyword) if part is not None and part == int(part)]


def first_integer(dataset: Dataset, keyword: str) -> int | None:
    """None where the first value is missing, empty or no whole number."""
    part = next(iter(parts_of(dataset, keyword)), None)
    return int(part) if part is not None and part == int(part) else None


def _values(dataset: Dataset, keyword: str) -> list[Any]:
    try:
        value = dataset.get(keyword)
    except (TypeError, ValueError):
        return []
    if isinstance(value, bytes):
        order = ">" if dataset.original_encoding[1] is False else "<"
        words = value[: min(len(value) & ~1, _MOST_BYTES)]
        return [word for (word,) in struct.iter_unpack(f"{order}H", words)]
    if isinstance(value, MultiValue | list | tuple):
        return list(value[:_MOST_VALUES])
    return [] if value is None else [value]


def _number(part: Any) -> float | None:
    try:
        number = float(part.strip().replace(",", ".") if isinstance(part, str) else part)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
