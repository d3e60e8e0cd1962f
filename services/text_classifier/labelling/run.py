"""The command around the labelling of a collection: what it is given, where it goes on, what it ends with."""

import hashlib
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.console import Console

from services.text_classifier.labelling.blocks import Block, in_blocks
from services.text_classifier.labelling.columns import LabelColumns, as_csv
from services.text_classifier.labelling.labeller import Labeller
from services.text_classifier.labelling.partial import PartialTable
from services.text_classifier.labelling.report import Summary
from services.text_classifier.labelling.source import ReportTable, SourceRow
from services.text_classifier.labelling.tally import Tally
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import TextClassifierSettings
from shared.commands import INTERRUPTED, SOME_FAILED
from shared.progress import shown_progress


@dataclass(frozen=True)
class Collection:
    """A table of reports, and the table of their labels that is to be made of it."""

    source: Path
    text_column: str
    out: Path
    keep_text: bool = False


@dataclass(frozen=True)
class Labelling:
    """How a collection is to be labelled."""

    overwrite: bool = False
    dry_run: bool = False
    strict: bool = False
    report: Path | None = None


def label(settings: TextClassifierSettings, collection: Collection, how: Labelling) -> None:
    """Exits with 1 where every row failed: then there is no table; with 3 where some did and `strict` asks.

    Raises TableUnusable, PartialUnusable, OSError, ModelLoadError or InferenceFailed where it cannot be run.
    """
    console = Console(highlight=False, markup=False)
    _refuse_mixed_up(collection, how)
    table = ReportTable(collection.source, collection.text_column)
    total = table.count()
    if not total:
        sys.exit(f"text-classifier: {collection.source} holds no line below its header.")
    if how.report is not None:
        how.report.open("a", encoding="utf-8").close()  # hours later would be late to find that it cannot be written
    model = TextClassifier.open(settings.text_model, device=settings.device, threads=settings.threads)
    columns = LabelColumns(
        table.columns, collection.text_column, model.info.weights_sha256, keep_text=collection.keep_text
    )
    if columns.replaced:
        console.print(f"Replaced, for labels take their names: {', '.join(columns.replaced)}.", soft_wrap=True)
    work = _Work(table, Labeller(model, columns, most_tokens=settings.most_tokens_of_one), total)
    try:
        if how.dry_run:
            summary = work.check(console)
            summary.write(how.report)
        else:
            run = _identity(table, collection, model, settings)
            with PartialTable(collection.out, run, as_csv([columns.header]), anew=how.overwrite) as partial:
                summary = work.label(console, partial, collection.out)
                summary.write(how.report)
                if summary.tally.labelled:
                    partial.finish()
                else:
                    partial.discard()
    except KeyboardInterrupt:
        console.print("Stopped. What was labelled stays; the same command goes on from there.")
        sys.exit(INTERRUPTED)
    summary.show(console, how.report)
    if not summary.tally.labelled:
        sys.exit(1)
    if summary.tally.failed and how.strict:
        sys.exit(SOME_FAILED)


@dataclass(frozen=True)
class _Work:
    table: ReportTable
    labeller: Labeller
    total: int

    def check(self, console: Console) -> Summary:
        started = time.monotonic()
        tally = Tally()
        with (
            shown_progress(console, self.total, "Checking", "reports") as show,
            closing(self._blocks(self.labeller.check)) as blocks,
        ):
            for block in blocks:
                tally.add(block.tally)
                show(tally)
        return Summary(tally, time.monotonic() - started)

    def label(self, console: Console, partial: PartialTable, out: Path) -> Summary:
        already, done = partial.tally.labelled, partial.tally.done
        started = time.monotonic()
        with (
            shown_progress(console, self.total, "Labelling", "reports", already=done) as show,
            closing(self._blocks(self.labeller.label, done)) as blocks,
        ):
            for block in blocks:
                partial.add(block)
                show(partial.tally)
        return Summary(partial.tally, time.monotonic() - started, already, out)

    def _blocks(self, work: Callable[[Sequence[SourceRow]], Block], done: int = 0) -> Generator[Block]:
        return in_blocks(
            islice(self.table.rows(), done, None), work, block=self.labeller.block, workers=self.labeller.workers
        )


def _identity(
    table: ReportTable, collection: Collection, model: TextClassifier, settings: TextClassifierSettings
) -> dict[str, str]:
    """What a run must have in common with the one that it goes on from, for their rows to be those of one run."""
    details = model.details
    thresholds = ", ".join(f"{name} {threshold}" for name, threshold in details.thresholds.items())
    return {
        "the source's SHA-256": table.sha256(),
        "the text column": collection.text_column,
        "--keep-text": "given" if collection.keep_text else "not given",
        "the model's SHA-256": details.weights_sha256,
        "the SHA-256 of its thresholds": hashlib.sha256(thresholds.encode()).hexdigest(),
        "its engine": f"{details.engine} on {details.device}",
        "CHEX_TEXT_MAX_TOKENS": str(settings.text_max_tokens),
    }


def _refuse_mixed_up(collection: Collection, how: Labelling) -> None:
    """Ends the process where one file would be written over another, or a file is none that can be used so."""
    source, out, report = collection.source, collection.out, how.report
    if source.exists() and not source.is_file():
        sys.exit(f"text-classifier: {source} is no regular file, and it has to be read more than once.")
    if _same(out, source):
        sys.exit(f"text-classifier: --out is the table of reports itself, {source}.")
    if report is not None and (_same(report, source) or _same(report, out)):
        sys.exit(f"text-classifier: --report is one of the tables, {report}.")
    if not out.parent.is_dir():
        sys.exit(f"text-classifier: there is no folder {out.parent}.")
    if out.is_dir():
        sys.exit(f"text-classifier: {out} is a folder.")
    if out.exists() and not how.overwrite:
        sys.exit(f"text-classifier: {out} exists already. --overwrite puts the new table in its place.")


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()
