"""How long a request may still take, from its first byte to its answer, over all the processes that work on it."""

import time
from typing import Self

HEADER = "X-Request-Deadline"
"""Milliseconds that are left, as the gateway tells the services; a caller's own is not believed."""


class Deadline:
    """A moment by which a request must be answered. What one call uses up is gone for the next."""

    def __init__(self, seconds: float, *, since: float | None = None) -> None:
        """`since`: when the time began to run, on the monotonic clock; now, if not given."""
        self.ends = (time.monotonic() if since is None else since) + seconds

    def left_s(self) -> float:
        return self.ends - time.monotonic()

    def capped(self, seconds: float) -> Self:
        """The earlier of this deadline and the one in `seconds`."""
        return type(self)(min(self.left_s(), seconds))
