"""The rows of a source, cut into blocks that several threads work on.

What a text shares its run of the model with can change its probabilities by a millionth. So blocks are the same in
every run, however often it was stopped, and each is read on one core however many there are.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from services.text_classifier.labelling.source import SourceRow
from services.text_classifier.labelling.tally import Tally


@dataclass(frozen=True)
class Block:
    """What has become of the rows of a block. `csv`: the labelled ones, as they are written."""

    csv: bytes = b""
    tally: Tally = field(default_factory=Tally)


def in_blocks(
    rows: Iterable[SourceRow], work: Callable[[Sequence[SourceRow]], Block], *, block: int, workers: int
) -> Generator[Block]:
    """All rows in order, `block` of them at a time, by so many `workers`."""
    waiting: deque[Future[Block]] = deque()
    rows = iter(rows)
    with ThreadPoolExecutor(workers, thread_name_prefix="label") as threads:
        try:
            while taken := list(islice(rows, block)):
                waiting.append(threads.submit(work, taken))
                if len(waiting) > workers:  # one waits, so that no thread does
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
