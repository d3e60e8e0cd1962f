import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.image_index.store.embedded.group_commit import GroupCommit, _Ticket


class SlowDisk:
    """Counts commits; the first one waits until it is let go."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.first_began = threading.Event()
        self.let_go = threading.Event()

    def commit(self, operations: Sequence[Callable[["SlowDisk"], Any]]) -> list[Any]:
        self.groups.append(len(operations))
        self.first_began.set()
        assert self.let_go.wait(5)
        return [operation(self) for operation in operations]


def test_writers_that_wait_share_the_next_commit() -> None:
    disk = SlowDisk()
    group = GroupCommit[SlowDisk](disk.commit, max_group=4)
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(group.submit, lambda _disk: 0)
        assert disk.first_began.wait(5)
        others = [pool.submit(group.submit, lambda _disk, n=n: n) for n in range(1, 10)]
        while len(group._waiting) < 9:
            pass
        disk.let_go.set()
        results = [first.result(5), *(other.result(5) for other in others)]

    assert results == list(range(10))
    assert disk.groups == [1, 4, 4, 1]


def test_every_writer_of_a_failed_group_is_told_and_the_next_one_is_served() -> None:
    def commit(operations: Sequence[Callable[[None], Any]]) -> list[Any]:
        return [operation(None) for operation in operations]

    def fail(_transaction: None) -> None:
        raise OSError("disk full")

    group = GroupCommit[None](commit)
    with pytest.raises(OSError, match="disk full"):
        group.submit(fail)

    assert group.submit(lambda _transaction: 7) == 7


def test_no_writer_of_an_interrupted_group_is_told_that_it_succeeded() -> None:
    def interrupted(_operations: Sequence[Callable[[None], Any]]) -> list[Any]:
        raise KeyboardInterrupt

    group = GroupCommit[None](interrupted)
    other = _Ticket[None](lambda _transaction: 1)
    group._waiting.append(other)
    with pytest.raises(KeyboardInterrupt):
        group.submit(lambda _transaction: 2)

    assert isinstance(other.error, KeyboardInterrupt)
