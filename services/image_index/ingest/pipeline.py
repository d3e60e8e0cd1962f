"""From files to encoded images: what every ingest does with its entries, on this machine or on one of many.

Files are read and decoded in threads ahead of the encoder. On a CPU the encoder runs several batches side by side, one
thread each, which gives more images a second than one batch after the other on all cores.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from services.image_index.encoding.encoder import Encoder
from services.image_index.ingest.layouts import Entry
from services.image_index.ingest.prepare import (
    Prepared,
    doubt_of,
    new_image,
    prepare,
    read_file,
    sha256_of,
    stored_metadata,
)
from services.image_index.ingest.tally import BURNED_IN, CONFLICT, NO_ID, Failure, Progress, StoredSha256, no_chest
from services.image_index.patient_keys import PatientKeys
from services.image_index.pictures.burned_in.check import UNCHECKED, TextCheck
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.limits import Limits
from shared.errors import ServiceError
from shared.schemas.images import StoredMetadata

_NEWS = 32  # so many entries that need no encoding are told of at once


@dataclass(frozen=True)
class _Ready:
    entry: Entry
    prepared: Prepared
    content_sha256: str


class IngestPipeline:
    """`lanes` batches of `batch` images are encoded side by side, while `workers` threads decode files."""

    def __init__(
        self,
        encoder: Encoder,
        keys: PatientKeys,
        *,
        limits: Limits,
        workers: int,
        batch: int,
        lanes: int = 1,
        replace: bool = False,
        keep_study_date: bool = False,
        chest_threshold: float = 0.0,
        text_check: TextCheck = UNCHECKED,
    ) -> None:
        self._encoder = encoder
        self._keys = keys
        self._text_check = text_check
        self._limits = limits
        self._workers = workers
        self._batch = batch
        self._lanes = lanes
        self._replace = replace
        self._keep_study_date = keep_study_date
        self._chest_threshold = chest_threshold
        self.weights_sha256 = encoder.info.weights_sha256

    @property
    def most_held(self) -> int:
        """Files that are decoded and not handed on yet: never more, however long the archive."""
        return (self._lanes + 2) * self._batch + 2 * self._workers

    def run(
        self, entries: Iterable[Entry], stored_sha256: StoredSha256, decoders: IsolatedDecoders
    ) -> Iterator[Progress]:
        """Every entry, in full batches and in order; what needs no encoding is told of as it is found.

        `stored_sha256` gives the hash of what is stored under an id; it is called from several threads.
        """
        encoding: deque[Future[Progress]] = deque()
        batch: list[_Ready] = []
        news = Progress()
        with ThreadPoolExecutor(self._lanes, thread_name_prefix="encode") as lanes:
            for read in self._read_ahead(entries, stored_sha256, decoders):
                if isinstance(read, _Ready):
                    batch.append(read)
                elif isinstance(read, Failure):
                    news.failures.append(read)
                else:
                    news.unchanged += 1
                if len(batch) == self._batch:
                    encoding.append(lanes.submit(self._encode, batch))
                    batch = []
                    if len(encoding) > self._lanes:  # one waits, so that no lane does
                        yield encoding.popleft().result()
                if len(news.failures) + news.unchanged >= _NEWS:
                    yield news
                    news = Progress()
            if batch:
                encoding.append(lanes.submit(self._encode, batch))
            yield news
            while encoding:
                yield encoding.popleft().result()

    def _read_ahead(
        self, entries: Iterable[Entry], stored_sha256: StoredSha256, decoders: IsolatedDecoders
    ) -> Iterator[_Ready | Failure | None]:
        """Results of `_read`, in order."""
        reading: deque[Future[_Ready | Failure | None]] = deque()
        with ThreadPoolExecutor(self._workers, thread_name_prefix="decode") as readers:
            try:
                for entry in entries:
                    reading.append(readers.submit(self._read, entry, stored_sha256, decoders))
                    if len(reading) >= self._batch + 2 * self._workers:
                        yield reading.popleft().result()
                while reading:
                    yield reading.popleft().result()
            finally:
                for future in reading:
                    future.cancel()

    def _read(self, entry: Entry, stored_sha256: StoredSha256, decoders: IsolatedDecoders) -> _Ready | Failure | None:
        """None where the index holds this very file already."""
        if entry.refused or not entry.image_id:
            return Failure(entry, entry.refused or NO_ID)
        try:
            data = read_file(entry.file, self._limits)
            content_sha256 = sha256_of(data)
            stored = None if self._replace else stored_sha256(entry.image_id)
            if stored is not None:
                return None if stored == content_sha256 else Failure(entry, CONFLICT)
            prepared = prepare(data, self._encoder, self._limits, decoders, self._text_check)
            doubt = doubt_of(prepared, entry.metadata, self._chest_threshold)
            if doubt:
                return Failure(entry, no_chest(doubt.what))
            legible = prepared.text.is_legible
            return Failure(entry, BURNED_IN) if legible else _Ready(entry, prepared, content_sha256)
        except OSError as error:
            return Failure(entry, f"The file cannot be read: {error.strerror}.")
        except ServiceError as error:
            return Failure(entry, error.detail)

    def _encode(self, batch: Sequence[_Ready]) -> Progress:
        encodings = self._encoder.encode([ready.prepared.square for ready in batch])
        return Progress(
            images=[
                (
                    ready.entry,
                    new_image(
                        ready.entry.image_id,
                        ready.prepared,
                        encoding,
                        self._metadata(ready),
                        content_sha256=ready.content_sha256,
                        weights_sha256=self.weights_sha256,
                    ),
                )
                for ready, encoding in zip(batch, encodings, strict=True)
            ]
        )

    def _metadata(self, ready: _Ready) -> StoredMetadata:
        return stored_metadata(
            ready.prepared,
            ready.entry.metadata,
            self._keys,
            keep_study_date=self._keep_study_date,
            study_invented=ready.entry.study_invented,
        )
