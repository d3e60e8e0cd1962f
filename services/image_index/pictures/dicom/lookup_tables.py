"""Lookup tables of a DICOM header (PS3.3 C.11.1 and C.11.2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.numbers import parts_of
from services.image_index.pictures.dicom.sequences import items_of

Values = NDArray[np.float64]


@dataclass(frozen=True)
class LookupTable:
    entries: Values
    first: int  # the value that the first entry is for
    bits: int  # of an entry: those that the entries use, from 8 on, whatever the descriptor says

    def __call__(self, values: Values) -> Values:
        """Values before the first entry get it, values beyond the last one get that."""
        positions = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        return np.asarray(self.entries[positions])


def lookup_table(dataset: Dataset, keyword: str, values: Values) -> LookupTable | None:
    """The first usable table of a ModalityLUTSequence or VOILUTSequence, for these values."""
    items = items_of(dataset, keyword)
    if not items:
        return None
    lowest, highest = float(values.min()), float(values.max())
    return next((table for item in items if (table := _table(item, lowest, highest)) is not None), None)


def _table(item: Dataset, lowest: float, highest: float) -> LookupTable | None:
    """None for what is no table: items come empty, without data, with one entry over and over, or cut short before the
    picture's highest value.

    A 12-bit table described as 16-bit would come out black, and one of 12 bits described as 8 would be cut off: the
    bits that the entries use are counted.
    """
    match [int(part) if part is not None else None for part in parts_of(item, "LUTDescriptor")]:
        case [int(length), int(first), int(bits)]:
            pass
        case _:
            return None
    length = length % 2**16 or 2**16  # 65,536 entries are written as 0
    if first >= 2**15 and lowest < 0:
        first -= 2**16  # written as unsigned, meant as signed
    entries = _entries(item, length, bits)
    is_cut_short = len(entries) < length and first + len(entries) <= highest
    if not len(entries) or is_cut_short or (len(entries) > 1 and entries.min() == entries.max()):
        return None
    return LookupTable(entries.astype(np.float64), first, max(8, int(entries.max()).bit_length()))


def _entries(item: Dataset, length: int, bits: int) -> NDArray[Any]:
    """As unsigned numbers. Entries of 8 bits come one a byte, as the standard has it, or one a word."""
    data: Any = item.get("LUTData")
    is_big_endian = item.original_encoding[1] is False
    if isinstance(data, bytes):
        words = np.frombuffer(data[: len(data) & ~1], dtype=">u2" if is_big_endian else "<u2")
    else:
        numbers = [part for part in parts_of(item, "LUTData") if part is not None]
        words = (np.array(numbers, dtype=np.int64) & 0xFFFF).astype(">u2" if is_big_endian else "<u2")
        data = words.tobytes()
    is_one_a_byte = len(words) < length and (bits <= 8 or len(data) in (length, length + 1))
    return np.asarray((np.frombuffer(data, dtype=np.uint8) if is_one_a_byte else words)[:length])
