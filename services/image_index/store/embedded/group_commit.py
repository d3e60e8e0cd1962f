"""Concurrent writers share one transaction, and so one fsync."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

Transaction = TypeVar("Transaction")
Result = TypeVar("Result")


class _Ticket(Generic[Transaction]):
    def __init__(self, operation: Callable[[Transaction], Any]) -> None:
        self.operation = operation
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None


class GroupCommit(Generic[Transaction]):
    """`commit` runs the operations of up to `max_group` writers in one transaction and returns a result for each; when
    it returns they are durable.

    There is no thread of its own: whichever writer gets the lock commits for all that wait behind it.
    """

    def __init__(
        self, commit: Callable[[Sequence[Callable[[Transaction], Any]]], Sequence[Any]], *, max_group: int = 64
    ) -> None:
        self._commit = commit
        self._max_group = max_group
        self._waiting: deque[_Ticket[Transaction]] = deque()
        self._turn = threading.Lock()

    def submit(self, operation: Callable[[Transaction], Result]) -> Result:
        """Blocks until the operation is durable; raises what `commit` raised for its group."""
        ticket = _Ticket(operation)
        self._waiting.append(ticket)
        with self._turn:
            while not ticket.done:
                self._commit_group()
        if ticket.error is not None:
            raise ticket.error
        result: Result = ticket.result
        return result

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Nothing is committed meanwhile."""
        with self._turn:
            yield

    def _commit_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_group))]
        try:
            results = self._commit([ticket.operation for ticket in group])
            for ticket, result in zip(group, results, strict=True):
                ticket.result = result
        except BaseException as error:
            for ticket in group:
                ticket.error = error  # every writer of the group is told
            if not isinstance(error, Exception):
                raise
        finally:
            for ticket in group:
                ticket.done = True
