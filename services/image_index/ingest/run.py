"""The command around a bulk ingest: what it is given, which engine runs it, what it ends with."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from rich.console import Console

from services.image_index.encoding.imported import imported_in
from services.image_index.ingest.dry_run import dry_run
from services.image_index.ingest.layouts import Entry, count_folder, count_table, read_folder, read_table
from services.image_index.ingest.local import ingest_here
from services.image_index.ingest.pipeline import IngestPipeline
from services.image_index.ingest.report import Report
from services.image_index.ingest.tally import OnProgress, Tally
from services.image_index.parts import open_hashes, open_keys, open_model, open_store, open_text_check
from services.image_index.patient_keys import PatientKeys
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.folder import make_writable
from shared.commands import INTERRUPTED, SOME_FAILED
from shared.progress import shown_progress

_MOST_LANES = 8  # each holds the activations of a batch


@dataclass(frozen=True)
class Archive:
    """The files to index: those of a table, or without one all below a folder."""

    images_root: Path
    table: Path | None = None
    limit: int | None = None
    follow_links: bool = False

    def count(self) -> int:
        whole = count_folder(self.images_root) if self.table is None else count_table(self.table)
        return whole if self.limit is None else min(whole, self.limit)

    def entries(self) -> Iterator[Entry]:
        root, links = self.images_root, self.follow_links
        whole = (
            read_folder(root, follow_links=links)
            if self.table is None
            else read_table(self.table, root, follow_links=links)
        )
        return islice(whole, self.limit)


@dataclass(frozen=True)
class Ingesting:
    """How an archive is to be indexed. `workers`: threads that decode here, or Ray workers with an encoder each."""

    workers: int | None = None
    replace: bool = False
    dry_run: bool = False
    engine: str = "local"  # or "ray"
    ray_address: str | None = None
    strict: bool = False
    report: Path | None = None


def ingest(settings: ImageIndexSettings, archive: Archive, how: Ingesting) -> None:
    """Exits with 1 where every file failed; with 3 where some did and `strict` asks.

    Raises TableUnusable, OSError, ServiceError, StoreUnusable, PatientKeyUnusable or ModelLoadError where it
    cannot be run.
    """
    console = Console(highlight=False)
    if not archive.images_root.is_dir():
        sys.exit(f"image-index: there is no folder {archive.images_root}.")
    _refuse_imported(settings.index_folder)
    if how.report is not None:
        how.report.open("a", encoding="utf-8").close()  # hours later would be late to find that it cannot be written
    total = archive.count()
    if archive.table and not total:
        sys.exit(f"image-index: {archive.table} holds no line below its header.")
    if not how.dry_run:
        make_writable(settings.index_folder)
    try:
        run = _checked if how.dry_run else _indexed
        report = run(settings, archive, how, console, total)
    except KeyboardInterrupt:
        console.print("Stopped. What was indexed stays; the same command goes on from there.")
        sys.exit(INTERRUPTED)
    report.show(console, how.report)
    if how.report is not None:
        report.write(how.report)
    failed = len(report.tally.failures)
    if failed and failed == report.tally.done:
        sys.exit(1)
    if failed and how.strict:
        sys.exit(SOME_FAILED)


def _checked(settings: ImageIndexSettings, archive: Archive, how: Ingesting, console: Console, total: int) -> Report:
    weights_sha256 = open_model(settings.image_model, device="cpu").info.weights_sha256
    started = time.monotonic()
    with (
        open_hashes(settings, weights_sha256) as stored_sha256,
        shown_progress(console, total, "Checking", "images") as show,
    ):
        tally = dry_run(
            archive.entries(),
            stored_sha256,
            show,
            limits=settings.limits,
            workers=how.workers or settings.decode_threads,
            replace=how.replace,
            accept_any=settings.chest_threshold <= 0,
        )
    return Report(tally, time.monotonic() - started, index_size=None)


def _indexed(settings: ImageIndexSettings, archive: Archive, how: Ingesting, console: Console, total: int) -> Report:
    run = _with_ray if how.engine == "ray" else _here
    with shown_progress(console, total, "Indexing", "images") as show:
        started = time.monotonic()
        tally, size = run(settings, archive, how, show)
        return Report(tally, time.monotonic() - started, size)


def _here(settings: ImageIndexSettings, archive: Archive, how: Ingesting, show: OnProgress) -> tuple[Tally, int]:
    pipeline = open_pipeline(settings, open_keys(settings), workers=how.workers, replace=how.replace)
    with open_store(settings, pipeline.weights_sha256) as store:
        tally = ingest_here(pipeline, store, archive.entries(), show, replace=how.replace)
        return tally, store.info().size


def open_pipeline(
    settings: ImageIndexSettings,
    keys: PatientKeys,
    *,
    workers: int | None = None,
    lanes: int | None = None,
    replace: bool = False,
) -> IngestPipeline:
    """With the configured encoder, on all cores unless told otherwise. Raises ModelLoadError or ReaderMissing."""
    cores = len(os.sched_getaffinity(0))
    threads = settings.threads or max(1, cores // _MOST_LANES)
    encoder = open_model(settings.image_model, device=settings.device, threads=threads)
    # Elsewhere one batch takes all there is: a GPU, or torch's own threads.
    side_by_side = encoder.info.engine == "onnxruntime" and encoder.info.device == "cpu"
    return IngestPipeline(
        encoder,
        keys,
        limits=settings.limits,
        workers=workers or cores,
        batch=settings.image_max_batch,
        lanes=lanes or (max(1, cores // threads) if side_by_side else 1),
        replace=replace,
        keep_study_date=settings.keep_study_date,
        chest_threshold=settings.chest_threshold,
        text_check=open_text_check(settings),
    )


def _with_ray(settings: ImageIndexSettings, archive: Archive, how: Ingesting, show: OnProgress) -> tuple[Tally, int]:
    try:
        from services.image_index.ingest.on_ray import RayFailed, ingest_with_ray  # noqa: PLC0415 - an extra of its own
    except ImportError:
        sys.exit("image-index: --engine ray needs Ray Data. Install it with: pip install '.[ray]'")
    weights_sha256 = open_model(settings.image_model, device="cpu").info.weights_sha256
    # A worker without the extra that reads text must fail, and not look for none.
    policy = open_text_check(settings).policy
    of_one_thread = settings.model_copy(update={"threads": settings.threads or 1, "burned_in": policy})
    with open_store(settings, weights_sha256) as store:
        try:
            tally = ingest_with_ray(
                settings,
                store,
                partial(open_pipeline, of_one_thread, open_keys(settings), lanes=1, replace=how.replace),
                archive.entries(),
                show,
                workers=how.workers,
                address=how.ray_address,
                replace=how.replace,
            )
        except RayFailed as error:
            sys.exit(f"image-index: {error}")
        return tally, store.info().size


def _refuse_imported(index_folder: Path) -> None:
    """Ends the process where images are to be added to an index that has no encoder."""
    imported = imported_in(index_folder)
    if imported is not None:
        sys.exit(
            f"image-index: {index_folder} holds the imported predictions of {imported.model_name}: no image can be "
            "encoded to go with them. Ingest into a new CHEX_DATA_DIR."
        )
