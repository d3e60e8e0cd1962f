"""How far a bulk run is, how fast it goes, how long it will take: a bar, or lines where nobody watches a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_EVERY_S = 15


class Counted(Protocol):
    """What has become of the items so far; those that failed are done too."""

    @property
    def done(self) -> int: ...
    @property
    def failed(self) -> int: ...


OnProgress = Callable[[Counted], None]


@contextmanager
def shown_progress(console: Console, total: int, what: str, items: str, *, already: int = 0) -> Iterator[OnProgress]:
    """`what` is being done to `items`. Those done `already`, by an earlier run, tell nothing of the speed."""
    if console.is_terminal:
        with _bar(console, total, what, items, already) as show:
            yield show
    else:
        yield _lines(console, total, what, items, already)


@contextmanager
def _bar(console: Console, total: int, what: str, items: str, already: int) -> Iterator[OnProgress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=total, completed=already, rate="")
        started = time.monotonic()

        def show(counted: Counted) -> None:
            progress.update(task, completed=counted.done, rate=_rate(counted, already, started, items))

        yield show


def _lines(console: Console, total: int, what: str, items: str, already: int) -> OnProgress:
    started = last = time.monotonic()

    def show(counted: Counted) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _LINE_EVERY_S or counted.done <= already:
            return
        last = now
        left_s = (total - counted.done) * (now - started) / (counted.done - already)
        left = f"{left_s // 3600:.0f} h {left_s % 3600 // 60:.0f} min" if left_s >= 60 else f"{left_s:.0f} s"
        rate = _rate(counted, already, started, items)
        console.print(f"{what}: {counted.done:,} of {total:,}, {rate}, about {left} left", soft_wrap=True)

    return show


def _rate(counted: Counted, already: int, started: float, items: str) -> str:
    failed = f", {counted.failed:,} failed" if counted.failed else ""
    return f"{(counted.done - already) / max(time.monotonic() - started, 1e-9):.1f} {items}/s{failed}"
