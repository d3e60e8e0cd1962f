"""Bulk ingest: files are decoded in threads while the encoder runs full batches and the store commits them.

What is in the index already, with the same bytes, is passed over without decoding: an ingest that was stopped is
simply started again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from services.image_index.encoder import Encoder
from services.image_index.isolated import IsolatedDecoders
from services.image_index.layouts import Entry
from services.image_index.patient_key import PatientKeys
from services.image_index.preparing import Prepared, new_image, prepare, sha256_of, stored_metadata
from services.image_index.radiograph import Limits
from services.image_index.store.base import ImageStore, PutOutcome
from shared.errors import ServiceError

CONFLICT = "Another image is stored under this id (--replace puts the new one in its place)."


@dataclass(frozen=True)
class Failure:
    entry: Entry
    reason: str


@dataclass
class Tally:
    """What has become of the entries so far."""

    indexed: int = 0
    unchanged: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.indexed + self.unchanged + len(self.failures)

    def count(self, entry: Entry, outcome: PutOutcome) -> None:
        if outcome is PutOutcome.CONFLICT:
            self.failures.append(Failure(entry, CONFLICT))
        elif outcome is PutOutcome.UNCHANGED:
            self.unchanged += 1
        else:
            self.indexed += 1


@dataclass(frozen=True)
class _Ready:
    entry: Entry
    prepared: Prepared
    content_sha256: str


Outcomes = list[tuple[Entry, PutOutcome]]


class Ingest:
    def __init__(
        self,
        encoder: Encoder,
        store: ImageStore,
        keys: PatientKeys,
        *,
        limits: Limits,
        workers: int,
        batch: int,
        replace: bool = False,
    ) -> None:
        self._encoder = encoder
        self._store = store
        self._keys = keys
        self._limits = limits
        self._workers = workers
        self._batch = batch
        self._replace = replace

    def run(self, entries: Iterable[Entry], on_progress: Callable[[Tally], None] = lambda _tally: None) -> Tally:
        """Handles every entry, whatever becomes of the others. Raises Unavailable where the store cannot write."""
        tally = Tally()
        commits: deque[Future[Outcomes]] = deque()

        def settle(*, leave: int) -> None:
            while len(commits) > leave:
                for entry, outcome in commits.popleft().result():
                    tally.count(entry, outcome)
            on_progress(tally)

        with IsolatedDecoders() as decoders, ThreadPoolExecutor(1, thread_name_prefix="commit") as committer:
            for batch in self._batches(entries, decoders, tally):
                commits.append(committer.submit(self._encoded(batch)))
                settle(leave=1)  # one batch is committed while the next one is encoded
            settle(leave=0)
        return tally

    def _batches(self, entries: Iterable[Entry], decoders: IsolatedDecoders, tally: Tally) -> Iterator[list[_Ready]]:
        """Full batches of what must be encoded, in order; what needs no encoding is counted at once."""
        batch: list[_Ready] = []
        for read in self._read_ahead(entries, decoders):
            if isinstance(read, _Ready):
                batch.append(read)
            elif isinstance(read, Failure):
                tally.failures.append(read)
            else:
                tally.unchanged += 1
            if len(batch) == self._batch:
                yield batch
                batch = []
        yield batch

    def _read_ahead(self, entries: Iterable[Entry], decoders: IsolatedDecoders) -> Iterator[_Ready | Failure | None]:
        """Results of `_read`, in order; a bounded number of files is held decoded."""
        most = self._batch + 2 * self._workers
        reading: deque[Future[_Ready | Failure | None]] = deque()
        with ThreadPoolExecutor(self._workers, thread_name_prefix="decode") as readers:
            try:
                for entry in entries:
                    reading.append(readers.submit(self._read, entry, decoders))
                    if len(reading) >= most:
                        yield reading.popleft().result()
                while reading:
                    yield reading.popleft().result()
            finally:
                for future in reading:
                    future.cancel()

    def _read(self, entry: Entry, decoders: IsolatedDecoders) -> _Ready | Failure | None:
        """None where the index holds this very file already."""
        try:
            data = entry.file.read_bytes()
            content_sha256 = sha256_of(data)
            stored = None if self._replace else self._store.get(entry.image_id)
            if stored is not None:
                return None if stored.content_sha256 == content_sha256 else Failure(entry, CONFLICT)
            return _Ready(entry, prepare(data, self._encoder, self._limits, decoders), content_sha256)
        except OSError as error:
            return Failure(entry, f"The file cannot be read: {error.strerror}.")
        except ServiceError as error:
            return Failure(entry, error.detail)

    def _encoded(self, batch: Sequence[_Ready]) -> Callable[[], Outcomes]:
        """Runs the encoder now; what is returned commits its results."""
        encodings = self._encoder.encode([ready.prepared.square for ready in batch]) if batch else []
        images = [
            new_image(
                ready.entry.image_id,
                ready.prepared,
                encoding,
                stored_metadata(ready.prepared, ready.entry.metadata, self._keys),
                content_sha256=ready.content_sha256,
                weights_sha256=self._encoder.info.weights_sha256,
            )
            for ready, encoding in zip(batch, encodings, strict=True)
        ]

        def commit() -> Outcomes:
            outcomes = self._store.put(images, replace=self._replace) if images else []
            return [(ready.entry, outcome) for ready, outcome in zip(batch, outcomes, strict=True)]

        return commit
