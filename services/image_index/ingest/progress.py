"""How far an ingest is, how fast it goes and how long it will take: a bar, or lines where nobody watches a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.image_index.ingest.tally import OnProgress, Tally

_LINE_EVERY_S = 15


@contextmanager
def shown_progress(console: Console, total: int, what: str) -> Iterator[OnProgress]:
    if console.is_terminal:
        with _bar(console, total, what) as show:
            yield show
    else:
        yield _lines(console, total, what)


@contextmanager
def _bar(console: Console, total: int, what: str) -> Iterator[OnProgress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=total, rate="")
        started = time.monotonic()

        def show(tally: Tally) -> None:
            progress.update(task, completed=tally.done, rate=_rate(tally, started))

        yield show


def _lines(console: Console, total: int, what: str) -> OnProgress:
    started = last = time.monotonic()

    def show(tally: Tally) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _LINE_EVERY_S or not tally.done:
            return
        last = now
        left_s = (total - tally.done) * (now - started) / tally.done
        left = f"{left_s // 3600:.0f} h {left_s % 3600 // 60:.0f} min" if left_s >= 60 else f"{left_s:.0f} s"
        console.print(
            f"{what}: {tally.done:,} of {total:,}, {_rate(tally, started)}, about {left} left", soft_wrap=True
        )

    return show


def _rate(tally: Tally, started: float) -> str:
    failed = f", {len(tally.failures):,} failed" if tally.failures else ""
    return f"{tally.done / max(time.monotonic() - started, 1e-9):.1f} images/s{failed}"
