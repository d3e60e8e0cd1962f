"""The command around an import of reports' labels."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from services.image_index.ingest.report_labels.load import check, import_reports
from services.image_index.ingest.report_labels.named_by import NamedBy
from services.image_index.ingest.report_labels.summary import Summary
from services.image_index.ingest.report_labels.table import ReportTable
from services.image_index.parts import open_keys, open_prior, open_store_as_it_is
from services.image_index.patient_keys import PatientKeys
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.folder import make_writable
from shared.commands import INTERRUPTED, SOME_FAILED
from shared.progress import shown_progress


@dataclass(frozen=True)
class Importing:
    """How a table is to be read, and what becomes of it."""

    named_by: NamedBy
    issued_column: str | None = None
    replace: bool = False
    dry_run: bool = False
    strict: bool = False
    report: Path | None = None


def import_report_labels(settings: ImageIndexSettings, file: Path, how: Importing) -> None:
    """Exits with 1 where no line could be taken; with 3 where some could not and `strict` asks.

    Raises TableUnusable, OSError, ServiceError, StoreUnusable, PriorUnusable, PatientKeyUnusable or ModelLoadError
    where nothing could be imported.
    """
    console = Console(highlight=False)
    if how.report is not None:
        how.report.open("a", encoding="utf-8").close()  # hours later would be late to find that it cannot be written
    try:
        summary = _checked(settings, file, how, console) if how.dry_run else _imported(settings, file, how, console)
    except KeyboardInterrupt:
        console.print("Stopped. What was imported stays; the same command goes on from there.")
        sys.exit(INTERRUPTED)
    summary.show(console, how.report)
    if how.report is not None:
        summary.write(how.report)
    failed = summary.tally.failed
    if failed and failed == summary.tally.done:
        sys.exit(1)
    if failed and how.strict:
        sys.exit(SOME_FAILED)


def _checked(settings: ImageIndexSettings, file: Path, how: Importing, console: Console) -> Summary:
    table = _open(settings, file, how, PatientKeys(b"for a dry run: nothing is looked up"))
    started = time.monotonic()
    with shown_progress(console, _count(table, file), "Checking", "lines") as show:
        return Summary(check(table, show), time.monotonic() - started)


def _imported(settings: ImageIndexSettings, file: Path, how: Importing, console: Console) -> Summary:
    total = _count(_open(settings, file, how, PatientKeys(b"to count lines")), file)
    make_writable(settings.index_folder)
    with open_store_as_it_is(settings) as store:
        table = _open(settings, file, how, open_keys(settings))
        with shown_progress(console, total, "Importing", "lines") as show:
            started = time.monotonic()
            tally = import_reports(table, store, show, replace=how.replace)
            elapsed_s = time.monotonic() - started
        return Summary(tally, elapsed_s, store.describe().reports.images)


def _open(settings: ImageIndexSettings, file: Path, how: Importing, keys: PatientKeys) -> ReportTable:
    return ReportTable(file, how.named_by, how.issued_column, keys, open_prior(settings).base_rates)


def _count(table: ReportTable, file: Path) -> int:
    total = table.count()
    if not total:
        sys.exit(f"image-index: {file} holds no line below its header.")
    return total
