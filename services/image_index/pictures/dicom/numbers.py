"""Decimal strings of a DICOM header as numbers."""

from math import isfinite

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue


def numbers_of(dataset: Dataset, keyword: str) -> list[float]:
    """The values of an element; none at all where it is missing, empty, or one of them is no number."""
    try:
        value = dataset.get(keyword)
        numbers = [float(part) for part in (value if isinstance(value, MultiValue | list) else [value])]
    except (TypeError, ValueError):
        return []
    return numbers if all(map(isfinite, numbers)) else []


def first_number(dataset: Dataset, keyword: str) -> float | None:
    return next(iter(numbers_of(dataset, keyword)), None)
