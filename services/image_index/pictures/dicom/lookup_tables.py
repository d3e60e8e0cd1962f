"""Lookup tables of a DICOM header (PS3.3 C.11.1 and C.11.2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

Values = NDArray[np.float64]


@dataclass(frozen=True)
class LookupTable:
    entries: Values
    first: int  # the value that the first entry is for
    bits: int  # of an entry; those that the entries use, where the descriptor claims more

    def __call__(self, values: Values) -> Values:
        """Values before the first entry get it, values beyond the last one get that."""
        positions = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        return np.asarray(self.entries[positions])


def lookup_table(item: Dataset, *, lowest: float) -> LookupTable:
    """The table of one item of a ModalityLUTSequence or VOILUTSequence, for values down to `lowest`.

    A 12-bit table described as 16-bit would come out black: its bits are counted, from 8 on.
    """
    length, first, bits = (int(value) for value in item.LUTDescriptor)
    length = length or 2**16  # as the standard writes it
    if first >= 2**15 and lowest < 0:
        first -= 2**16  # written as unsigned, meant as signed
    data = item.LUTData
    if isinstance(data, bytes):
        order = ">" if item.original_encoding[1] is False else "<"
        wide = bits > 8 or len(data) >= 2 * length
        entries = np.frombuffer(data, dtype=f"{order}u2" if wide else "u1")
    else:
        entries = np.array(data, dtype=np.int64) & 0xFFFF  # entries are unsigned, whatever the VR
    entries = entries[:length]
    used = max(8, int(entries.max()).bit_length())
    return LookupTable(entries.astype(np.float64), first, min(bits, used) if bits >= 8 else used)
