"""Bulk ingest: files are decoded while the encoder runs full batches and the store commits them.

What is in the index already, with the same bytes, is passed over without decoding: an ingest that was stopped is
simply started again.
"""

from collections.abc import Iterable

from services.image_index.ingest.layouts import Entry
from services.image_index.ingest.pipeline import IngestPipeline
from services.image_index.ingest.tally import OnProgress, Tally
from services.image_index.ingest.writing import write_all
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.store.contract import ImageStore


def ingest_here(
    pipeline: IngestPipeline,
    store: ImageStore,
    entries: Iterable[Entry],
    on_progress: OnProgress = lambda _tally: None,
    *,
    replace: bool = False,
) -> Tally:
    """Handles every entry, whatever becomes of the others. Raises Unavailable where the store cannot write."""
    with IsolatedDecoders() as decoders:
        return write_all(pipeline.run(entries, store.stored_sha256, decoders), store, on_progress, replace=replace)
