"""Puts the reports of a table into an index, batch by batch. Idempotent: a report that is there already stays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from services.image_index.ingest.predictions.table import BadLine
from services.image_index.ingest.report_labels.table import ReportLine, ReportTable
from services.image_index.store.contract import ImageStore
from services.image_index.store.reports import ReportOutcome

BATCH = 2000  # reports in one transaction

_REFUSED = {
    ReportOutcome.REMOVED: "A report was removed here, and this one is not known to be of later (--replace takes it).",
    ReportOutcome.AMBIGUOUS: (
        "Images of more than one study have this accession number, or several that are of no study: name the study by "
        "its UID, or each image."
    ),
}


@dataclass
class Tally:
    """What has become of the lines so far. `waiting`: those of `taken` of which the index has no image."""

    stored: int = 0
    unchanged: int = 0
    outdated: int = 0
    waiting: list[int] = field(default_factory=list)
    failures: list[BadLine] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.stored + self.unchanged + self.outdated + self.failed

    @property
    def failed(self) -> int:
        return len(self.failures)

    def count(self, line: int, outcome: ReportOutcome, *, known: bool) -> None:
        if outcome in _REFUSED:
            self.failures.append(BadLine(line, _REFUSED[outcome]))
            return
        if not known:
            self.waiting.append(line)
        if outcome is ReportOutcome.UNCHANGED:
            self.unchanged += 1
        elif outcome is ReportOutcome.OUTDATED:
            self.outdated += 1
        else:
            self.stored += 1


OnProgress = Callable[[Tally], None]


def check(table: ReportTable, on_progress: OnProgress = lambda _tally: None) -> Tally:
    """What can be told without the index. Raises TableUnusable."""
    tally = Tally()
    for line in table.lines():
        if isinstance(line, BadLine):
            tally.failures.append(line)
        else:
            tally.stored += 1
        on_progress(tally)
    return tally


def import_reports(
    table: ReportTable, store: ImageStore, on_progress: OnProgress = lambda _tally: None, *, replace: bool = False
) -> Tally:
    """Raises TableUnusable, or Unavailable where the store cannot write: what was written before stays."""
    tally = Tally()
    for batch in _batches(table.lines()):
        lines = [line for line in batch if isinstance(line, ReportLine)]
        tally.failures += [line for line in batch if isinstance(line, BadLine)]
        put = store.put_reports([(line.target, line.report) for line in lines], replace=replace)
        for line, (outcome, _images, known) in zip(lines, put, strict=True):
            tally.count(line.number, outcome, known=known)
        on_progress(tally)
    tally.failures.sort(key=lambda failure: failure.number)
    return tally


def _batches(lines: Iterator[ReportLine | BadLine]) -> Iterator[list[ReportLine | BadLine]]:
    while batch := list(islice(lines, BATCH)):
        yield batch
