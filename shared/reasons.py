"""Why some items of a bulk run failed, as a table for a terminal."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

_SHOWN = 10


def show_reasons(
    console: Console, failures: Sequence[tuple[str, str]], items: str, why: str, file: Path | None
) -> None:
    """`failures`: the name of each item that failed, and the reason. `items` and `why` are the headings. `file`: where
    all of them are written.
    """
    example = {reason: name for name, reason in reversed(failures)}
    reasons = Counter(reason for _name, reason in failures).most_common()
    table = Table(items, why, "for example")
    for reason, count in reasons[:_SHOWN]:
        table.add_row(str(count), reason, example[reason])
    console.print(table)
    hidden = reasons[_SHOWN:]
    if hidden:
        console.print(f"… and {sum(count for _reason, count in hidden)} for {len(hidden)} further reasons.")
    console.print(
        "--report FILE.csv or FILE.json writes every one of them with its reason."
        if file is None
        else f"All of them, with their reasons: {file}"
    )
