"""Bulk ingest over the machines of a Ray cluster: the pipeline of `ingest.pipeline` in every worker, each with an
encoder of its own, and one writer.

    entries -> look up what is stored -> [ workers: read, decode, encode ] -> write in order
    (driver)   (driver)                  (a pool of actors, map_batches)      (driver)

The driver alone writes, through the store's contract. What comes back of an image is its probabilities, grids and
thumbnail, some 10 kB: one writer keeps up with thousands of images a second, far more than encoders give, and the
embedded store may lie on a disk that only the driver sees. Over HTTP, pictures would travel to be encoded at the other
end. The machines must see the files and the model folder under the same paths.
"""

import logging
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

# Read when Ray is imported, and handed on to its processes.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")

import numpy as np
import ray
import ray.data
from numpy.typing import NDArray
from ray.exceptions import RayError

from services.image_index.ingest.layouts import Entry
from services.image_index.ingest.pipeline import IngestPipeline
from services.image_index.ingest.tally import OnProgress, Progress, Tally
from services.image_index.ingest.writing import write_all
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.contract import ImageStore

_CALL = 256  # entries that a worker is given at once
_PORTION = 200 * _CALL  # entries that Ray is given at once: more wait where they are listed
_OBJECT_STORE_BYTES = 512 * 2**20  # of a cluster that is started here

Batch = dict[str, NDArray[Any]]
OpenPipeline = Callable[..., IngestPipeline]  # called where it runs, with `workers`: so many threads decode


class RayFailed(Exception):
    """The cluster cannot be reached, or its workers cannot run. What was committed is kept."""


@dataclass(frozen=True)
class _Task:
    entry: Entry
    stored_sha256: str | None


@dataclass(frozen=True)
class _Pool:
    """How many workers, and what each may use. A worker with a GPU shares the CPUs with the others."""

    workers: int
    cpus: int
    gpus: int


def ingest_with_ray(
    settings: ImageIndexSettings,
    store: ImageStore,
    open_pipeline: OpenPipeline,
    entries: Iterable[Entry],
    on_progress: OnProgress,
    *,
    workers: int | None = None,
    address: str | None = None,
    replace: bool = False,
) -> Tally:
    """As `ingest_here` does it, and with the same result. Without an address, a cluster is started on this machine.

    Raises RayFailed, or Unavailable where the store cannot write.
    """
    try:
        pool = _connect(settings, workers, address)
        try:
            progress = _progress(settings, store, open_pipeline, iter(entries), pool)
            return write_all(progress, store, on_progress, replace=replace)
        finally:
            ray.shutdown()
    except (RayError, ConnectionError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise RayFailed(f"Ray failed, and what was committed is kept: {lines[-1]}") from error


def _connect(settings: ImageIndexSettings, workers: int | None, address: str | None) -> _Pool:
    if address:
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except ValueError as error:
            raise RayFailed(f"--ray-address: {error}") from error
    else:
        ray.init(
            num_cpus=workers,
            object_store_memory=_OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True  # rows are written in the archive's order, as a local run does
    found = ray.cluster_resources()  # type: ignore[no-untyped-call]
    cpus, gpus = int(found.get("CPU", 1)), int(found.get("GPU", 0))
    if settings.device != "cpu" and gpus:
        return _Pool(workers or gpus, cpus=max(1, cpus // (workers or gpus)), gpus=1)
    return _Pool(min(workers or cpus, cpus), cpus=1, gpus=0)


def _progress(
    settings: ImageIndexSettings,
    store: ImageStore,
    open_pipeline: OpenPipeline,
    entries: Iterator[Entry],
    pool: _Pool,
) -> Iterator[Progress]:
    weights_sha256 = store.info().weights_sha256
    while portion := [_with_stored(entry, store) for entry in islice(entries, _PORTION)]:
        calls = max(pool.workers, -(-len(portion) // _CALL))  # a short archive is still shared out
        rows = ray.data.from_items([{"task": pickle.dumps(task)} for task in portion], override_num_blocks=calls)
        # No other stage runs tasks: they would wait for ever for the CPUs that the workers keep.
        encoded = rows.map_batches(
            _Worker,
            fn_constructor_args=(open_pipeline, pool.cpus, settings.image_model, weights_sha256),
            batch_size=None,  # a block at once
            compute=ray.data.ActorPoolStrategy(size=pool.workers),
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
        )
        for batch in encoded.iter_batches(batch_size=None):
            for progress in batch["progress"]:
                yield pickle.loads(progress)  # noqa: S301 - from our own worker


def _with_stored(entry: Entry, store: ImageStore) -> _Task:
    return _Task(entry, store.stored_sha256(entry.image_id))


class _Worker:
    """Keeps its encoder from call to call."""

    def __init__(self, open_pipeline: OpenPipeline, cpus: int, model: str | Path, weights_sha256: str) -> None:
        self._pipeline = open_pipeline(workers=cpus)
        if self._pipeline.weights_sha256 != weights_sha256:
            raise ValueError(f"{model} holds other weights on this machine than where the index is.")
        self._decoders = IsolatedDecoders()

    def __call__(self, batch: Batch) -> Iterator[Batch]:
        tasks: list[_Task] = [pickle.loads(task) for task in batch["task"]]  # noqa: S301 - from our own driver
        stored = {task.entry.image_id: task.stored_sha256 for task in tasks}
        for progress in self._pipeline.run((task.entry for task in tasks), stored.get, self._decoders):
            yield {"progress": np.array([pickle.dumps(progress)], dtype=object)}
