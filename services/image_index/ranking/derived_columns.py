"""Columns computed from the rows of a gallery, kept from search to search and from generation to generation."""

import threading
from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.float32]
_FIRST_CAPACITY = 1024
_BLOCK = 16_384  # rows that are computed at a time: what lies between takes little memory


class DerivedColumns:
    """Shared by the galleries of a store: their rows are only ever appended, so a row once computed stays right until
    what it is computed by changes. Thread-safe.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._lock = threading.Lock()
        self._version: Hashable = None
        self._rows = 0
        self._columns = np.empty((width, 0), dtype=np.float32)

    def of(self, rows: int, version: Hashable, compute: Callable[[slice], Columns]) -> Columns:
        """(width, rows). `compute` gives the columns of some rows; it is asked only for those not held yet.

        `version` stands for all that the columns hang on beside the rows themselves.
        """
        with self._lock:
            if version != self._version:
                self._version, self._rows = version, 0
                self._columns = np.empty((self._width, max(rows, _FIRST_CAPACITY)), dtype=np.float32)
            if rows > self._columns.shape[1]:
                more = max(rows, 2 * self._columns.shape[1]) - self._columns.shape[1]
                self._columns = np.pad(self._columns, ((0, 0), (0, more)))
            while self._rows < rows:
                block = slice(self._rows, min(self._rows + _BLOCK, rows))
                self._columns[:, block] = compute(block)
                self._rows = block.stop
            return self._columns[:, :rows]
