"""The items of a sequence, whatever a file has written in its place."""

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence


def items_of(dataset: Dataset, keyword: str) -> list[Dataset]:
    value = dataset.get(keyword)
    return list(value) if isinstance(value, Sequence) else []
