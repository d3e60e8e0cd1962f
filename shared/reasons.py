"""Why some items of a bulk run failed, as a table for a terminal."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

_SHOWN = 10


class Reasons:
    """How often each came up, and with which item first: it holds no more for millions of items than for a few."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, reason: str, item: str) -> None:
        self.counts[reason] += 1
        self._examples.setdefault(reason, item)

    def show(self, console: Console, items: str, why: str) -> None:
        """`items` and `why` are the headings."""
        reasons = self.counts.most_common()
        table = Table(items, why, "for example")
        for reason, count in reasons[:_SHOWN]:
            table.add_row(str(count), reason, self._examples[reason])
        console.print(table)
        hidden = reasons[_SHOWN:]
        if hidden:
            console.print(f"… and {sum(count for _reason, count in hidden)} for {len(hidden)} further reasons.")


def show_reasons(
    console: Console, failures: Sequence[tuple[str, str]], items: str, why: str, file: Path | None
) -> None:
    """`failures`: the name of each item that failed, and the reason. `items` and `why` are the headings. `file`: where
    all of them are written.
    """
    reasons = Reasons()
    for name, reason in failures:
        reasons.add(reason, name)
    reasons.show(console, items, why)
    console.print(
        "--report FILE.csv or FILE.json writes every one of them with its reason."
        if file is None
        else f"All of them, with their reasons: {file}"
    )
