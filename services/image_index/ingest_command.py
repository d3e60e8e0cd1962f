"""The command around a bulk ingest: what it is given, the progress bar, the report."""

import csv
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from services.image_index.encoder import Encoder
from services.image_index.ingest import Failure, Ingest, Tally
from services.image_index.layouts import Entry, UnknownLayout, read_folder, read_table
from services.image_index.patient_key import open_patient_keys
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.embedded import EmbeddedStore
from shared.errors import ServiceError

_SHOWN_REASONS = 10


def ingest(
    settings: ImageIndexSettings,
    *,
    table: Path | None,
    images_root: Path,
    workers: int,
    limit: int | None,
    replace: bool,
    report: Path | None,
) -> None:
    """Exits with status 1 where nothing at all could be read."""
    console = Console(highlight=False)
    entries = _entries(table, images_root)[:limit]
    encoder = Encoder.open(settings.image_model, device=settings.device, threads=settings.threads)
    configured_key = settings.patient_key.get_secret_value() if settings.patient_key else None
    keys = open_patient_keys(settings.index_folder, configured_key)
    with EmbeddedStore(settings.index_folder, encoder.info.weights_sha256) as store:
        run = Ingest(
            encoder,
            store,
            keys,
            limits=settings.limits,
            workers=workers,
            batch=settings.image_max_batch,
            replace=replace,
        )
        started = time.monotonic()
        try:
            tally = _with_progress(run, entries, console)
        except ServiceError as error:
            sys.exit(f"image-index: {error.detail}")
        elapsed_s = time.monotonic() - started
        size = store.info().size
    if report is not None:
        _write_failures(report, tally.failures)
    _print_report(console, tally, elapsed_s, size, report)
    if entries and len(tally.failures) == len(entries):
        sys.exit(1)


def _entries(table: Path | None, images_root: Path) -> list[Entry]:
    if not images_root.is_dir():
        sys.exit(f"image-index: the folder {images_root} does not exist.")
    try:
        return list(read_folder(images_root)) if table is None else read_table(table, images_root)
    except (UnknownLayout, OSError, csv.Error, UnicodeDecodeError) as error:
        sys.exit(f"image-index: {error}")


def _with_progress(run: Ingest, entries: Sequence[Entry], console: Console) -> Tally:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Indexing", total=len(entries), rate="")
        started = time.monotonic()

        def show(tally: Tally) -> None:
            rate = tally.done / max(time.monotonic() - started, 1e-9)
            unread = f", {len(tally.failures)} not read" if tally.failures else ""
            progress.update(task, completed=tally.done, rate=f"{rate:.1f} images/s{unread}")

        return run.run(entries, show)


def _print_report(console: Console, tally: Tally, elapsed_s: float, size: int, report: Path | None) -> None:
    rate = tally.indexed / max(elapsed_s, 1e-9)
    console.print(
        f"{tally.indexed} indexed in {elapsed_s:.1f} s ({rate:.1f} images/s), {tally.unchanged} were there already, "
        f"{len(tally.failures)} could not be indexed. The index holds {size}.",
        soft_wrap=True,
    )
    if not tally.failures:
        return
    reasons = Counter(failure.reason for failure in tally.failures)
    example = {failure.reason: failure.entry.image_id for failure in reversed(tally.failures)}
    shown = Table("images", "why not indexed", "for example")
    for reason, count in reasons.most_common(_SHOWN_REASONS):
        shown.add_row(str(count), reason, example[reason])
    console.print(shown)
    if report is None:
        console.print("--report FILE.csv writes every one of them with its reason.")
    else:
        console.print(f"All of them, with their reasons: {report}")


def _write_failures(report: Path, failures: Sequence[Failure]) -> None:
    with report.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("image_id", "file", "reason"))
        writer.writerows((failure.entry.image_id, failure.entry.file, failure.reason) for failure in failures)
