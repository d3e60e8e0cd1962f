"""How many milliseconds each part of a request took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.telemetry import measure


class Timings:
    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._parts: dict[str, float] = {}

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        with measure(part):
            yield
        self._parts[part] = _ms_since(started)

    def so_far(self) -> dict[str, float]:
        return self._parts | {"total": _ms_since(self._started)}


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
