"""Bulk ingest: files are decoded while the encoder runs full batches and the store commits them.

What is in the index already, with the same bytes, is passed over without decoding: an ingest that was stopped is
simply started again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from services.image_index.ingest_pipeline import CONFLICT, Failure, IngestPipeline, Progress
from services.image_index.isolated import IsolatedDecoders
from services.image_index.layouts import Entry
from services.image_index.store.base import ImageStore, PutOutcome


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


OnProgress = Callable[[Tally], None]
Outcomes = list[tuple[Entry, PutOutcome]]


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


def write_all(progress: Iterator[Progress], store: ImageStore, on_progress: OnProgress, *, replace: bool) -> Tally:
    """Commits what a pipeline gives, in its order: one batch while the next one is awaited."""
    tally = Tally()
    commits: deque[Future[Outcomes]] = deque()

    def commit(news: Progress) -> Outcomes:
        outcomes = store.put([image for _entry, image in news.images], replace=replace)
        return [(entry, outcome) for (entry, _image), outcome in zip(news.images, outcomes, strict=True)]

    def settle(*, leave: int) -> None:
        while len(commits) > leave:
            for entry, outcome in commits.popleft().result():
                tally.count(entry, outcome)
        on_progress(tally)

    with ThreadPoolExecutor(1, thread_name_prefix="commit") as committer:
        for news in progress:
            tally.failures += news.failures
            tally.unchanged += news.unchanged
            if news.images:
                commits.append(committer.submit(commit, news))
            settle(leave=1)
        settle(leave=0)
    return tally
