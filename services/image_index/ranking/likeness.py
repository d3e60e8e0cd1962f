"""Pictures that are the same one, saved anew: told by how few bits their fingerprints differ in."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORDS = 4  # of 64 bits
MOST_BITS = 40
"""Of 256, in which two pictures that count as one may differ."""

Fingerprints = NDArray[np.uint64]

_NONE = bytes(8 * WORDS)


def words_of(blobs: Sequence[bytes | None]) -> Fingerprints:
    """(WORDS, N); 0 where there is none."""
    return np.frombuffer(b"".join(blob or _NONE for blob in blobs), dtype="<u8").reshape(len(blobs), WORDS).T


def alike(fingerprints: Fingerprints, one: Fingerprints) -> NDArray[np.bool_]:
    """(WORDS, N), (WORDS,) -> (N,). A picture without a fingerprint is like none."""
    found = np.zeros(fingerprints.shape[1], dtype=np.bool_)
    if one.any():
        bits = np.zeros(fingerprints.shape[1], dtype=np.uint16)
        for column, word in zip(fingerprints, one, strict=True):
            bits += np.bitwise_count(column ^ word)
        near = np.flatnonzero(bits <= MOST_BITS)
        found[near] = fingerprints[:, near].any(axis=0)
    return found


class Duplicates:
    """Whether the picture at a place is the same as one that was asked about before and was none of these itself."""

    def __init__(self, fingerprints: Fingerprints) -> None:
        self._fingerprints = fingerprints
        self._repeats = np.zeros(fingerprints.shape[1], dtype=np.bool_)

    def __call__(self, place: int) -> bool:
        if self._repeats[place]:
            return True
        self._repeats |= alike(self._fingerprints, self._fingerprints[:, place])
        return False
