"""A table that is being written. Its rows so far are in `NAME.partial` beside it; `NAME.partial.jsonl` says of which
run they are and what has become of the source's rows until there, without a word of their texts.
"""

import os
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, Self

from services.text_classifier.labelling.blocks import Block
from services.text_classifier.labelling.journal import Entry, Journal, PartialUnusable
from services.text_classifier.labelling.tally import Failure, Tally


class PartialTable:
    """`run`: what must be the same for a run to go on, each thing by its name. `tally`: what was done until now.

    Raises PartialUnusable where it is of another run, unless that is to be thrown away (`anew`), or OSError.
    """

    def __init__(self, out: Path, run: Mapping[str, str], header: bytes, *, anew: bool = False) -> None:
        self._out = out
        self._file = out.with_name(f"{out.name}.partial")
        self._journal_file = out.with_name(f"{out.name}.partial.jsonl")
        if self._file.exists() and not self._journal_file.exists() and not anew:
            raise PartialUnusable(f"{self._file} is in the way: nothing says of which run it is.")
        self._journal = Journal(self._journal_file)
        try:
            done = self._done(run, anew=anew)
            self._rows = self._file.open("r+b" if done else "wb")
        except BaseException:
            self._journal.close()
            raise
        self.tally = Tally()
        for entry in done:
            self.tally.add(_tally(entry.content))
        self._journal.cut(done[-1].end if done else 0)
        self._rows.truncate(done[-1].content["bytes"] if done else 0)
        self._rows.seek(0, os.SEEK_END)
        if not done:
            self._journal.note({"run": dict(run)})
            self.add(Block(header))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._rows.close()
        self._journal.close()

    def add(self, block: Block) -> None:
        """Its rows are on disk before the journal says so."""
        self._rows.write(block.csv)
        self._rows.flush()
        os.fsync(self._rows.fileno())
        self._journal.note(_noted(block.tally, self._rows.tell()))
        self.tally.add(block.tally)

    def finish(self) -> None:
        """Puts the table in its place."""
        self._file.replace(self._out)
        self._journal_file.unlink()

    def discard(self) -> None:
        self._file.unlink()
        self._journal_file.unlink()

    def _done(self, run: Mapping[str, str], *, anew: bool) -> list[Entry]:
        """What the journal says of blocks whose rows are there; nothing where a run begins."""
        there = self._file.stat().st_size if self._file.exists() else 0
        began, *noted = self._journal.entries() or [Entry({}, 0)]
        if not there or "run" not in began.content:
            return []
        differing = _differing(began.content["run"], run)
        if differing and not anew:
            raise PartialUnusable(
                f"{self._file} was begun by another run: {differing}. That run can go on from there; "
                "--overwrite begins anew."
            )
        return [] if differing else [*takewhile(lambda entry: entry.content["bytes"] <= there, noted)]


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    return "; ".join(
        f"{name} was {_short(before.get(name, 'unknown'))}, now it is {_short(value)}"
        for name, value in now.items()
        if before.get(name) != value
    )


def _short(value: str) -> str:
    return f"{value[:12]}…" if len(value) == 64 else value


def _noted(tally: Tally, end: int) -> dict[str, Any]:
    return {
        "bytes": end,
        "labelled": tally.labelled,
        "not_english": tally.not_english,
        "failures": [[failure.line, failure.reason] for failure in tally.failures],
    }


def _tally(noted: Mapping[str, Any]) -> Tally:
    failures = [Failure(line, reason) for line, reason in noted["failures"]]
    return Tally(noted["labelled"], noted["not_english"], failures)
