"""The writer's end of an ingest."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from services.image_index.ingest.layouts import Entry
from services.image_index.ingest.tally import OnProgress, Progress, Tally
from services.image_index.store.contract import ImageStore
from services.image_index.store.new_image import PutOutcome
from shared.schemas.images import QuarterTurns

Outcomes = list[tuple[Entry, PutOutcome, QuarterTurns | None]]


def write_all(progress: Iterator[Progress], store: ImageStore, on_progress: OnProgress, *, replace: bool) -> Tally:
    """Commits what a pipeline gives, in its order: one batch while the next one is awaited."""
    tally = Tally()
    commits: deque[Future[Outcomes]] = deque()

    def commit(news: Progress) -> Outcomes:
        outcomes = store.put([image for _entry, image in news.images], replace=replace)
        return [
            (entry, outcome, image.metadata.looks_turned)
            for (entry, image), outcome in zip(news.images, outcomes, strict=True)
        ]

    def settle(*, leave: int) -> None:
        while len(commits) > leave:
            for entry, outcome, turned in commits.popleft().result():
                tally.count(entry, outcome, turned)
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
