"""Speed as ratios: both ways do the same work, turn by turn, in one run on one machine."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest


def compare(name: str, ours: Callable[[], Any], other: Callable[[], Any], *, rounds: int = 9) -> None:
    """Print how many times as long `other` takes as `ours`: the median of `rounds` pairs, and their range."""
    ours(), other()  # the first run of each warms caches and is not counted
    pairs = [(_seconds(ours), _seconds(other)) for _ in range(rounds)]
    ratios = sorted(theirs / mine for mine, theirs in pairs)
    mine_ms, theirs_ms = (1000 * statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"\n{name}: {statistics.median(ratios):.2f} x ({ratios[0]:.2f} to {ratios[-1]:.2f}); "
        f"{mine_ms:.2f} ms against {theirs_ms:.2f} ms"
    )


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@pytest.fixture
def side_by_side() -> Callable[..., None]:
    return compare
