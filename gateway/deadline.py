"""How long a request may still take."""

import time
from typing import Self


class Deadline:
    """A moment by which a request must be answered. What one call uses up is gone for the next."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left_s(self) -> float:
        return self._ends - time.monotonic()

    def capped(self, seconds: float) -> Self:
        """The earlier of this deadline and the one in `seconds`."""
        return type(self)(min(self.left_s(), seconds))
