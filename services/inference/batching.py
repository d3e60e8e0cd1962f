"""Micro-batching: what comes while the model is busy shares its next run; what finds it idle is run at once.

Every waiter gets an answer: its result, its own error, 429 at a full queue, 504 at its deadline, 503 at shutdown.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import structlog

from shared.errors import DeadlineExceeded, InferenceFailed, Overloaded, ServiceError, Unavailable
from shared.telemetry import Span, current_span

log = structlog.get_logger("batching")

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(eq=False)
class _Waiter(Generic[Item, Result]):
    item: Item
    size: int
    future: asyncio.Future[Result]
    span: Span | None  # of the request that waits
    outcome: Result | Exception | None = None


class MicroBatcher(Generic[Item, Result]):
    """Runs items in batches, in threads beside the event loop that take the next batch as soon as they are free.

    `run_batch` takes items and returns one result for each, in order. A batch is the item that came first and those
    nearest to it in size, as many as fit: `max_batch` items of `max_size` together (`size_of` each; a single item may
    be larger). At most `max_queue` items wait.

    With several `workers`, the second begins only while the first is busy, and so on: `run_crowded` then runs the
    batches in place of `run_batch`, for it should take one core where the other may take all.
    """

    def __init__(
        self,
        run_batch: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        max_batch: int,
        max_queue: int,
        max_size: int | None = None,
        size_of: Callable[[Item], int] = lambda _item: 1,
        run_crowded: Callable[[Sequence[Item]], Sequence[Result]] | None = None,
        workers: int = 1,
        name: str,
    ) -> None:
        self._run_batch = run_batch
        self._run_crowded = run_crowded or run_batch
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._max_size = max_size
        self._size_of = size_of
        self._name = name
        self._lock = threading.Lock()  # of the four below
        self._queue: list[_Waiter[Item, Result]] = []  # in order of arrival
        self._running = 0  # batches
        self._idle: set[int] = set()  # numbers of workers
        self._calls = [threading.Condition(self._lock) for _ in range(workers)]  # by which each is woken
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"{name}-batch-{number}", daemon=True)
            for number in range(workers)
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self.refused = 0  # times that a full queue was found
        self.on_run: Callable[[int, float], object] = lambda _items, _seconds: None  # called in the workers' threads

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Finish the batches that are running; every item that still waits is answered with Unavailable."""
        with self._lock:
            self._closed = True
            for call in self._calls:
                call.notify()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        _settle_all(self._queue, Unavailable("Shutting down.", part=self._name))
        self._queue.clear()

    async def submit(self, item: Item, *, timeout_s: float) -> Result:
        """The result for one item. Raises as `submit_all` does."""
        (result,) = await self.submit_all([item], timeout_s=timeout_s)
        return result

    async def submit_all(self, items: Sequence[Item], *, timeout_s: float) -> list[Result]:
        """The results in order, or the first error; what still waits then is withdrawn.

        Raises Overloaded (no room in the queue for all), DeadlineExceeded (`timeout_s` is over), Unavailable (shutting
        down), or what the model raised for an item: a ServiceError as it is, anything else as InferenceFailed.
        """
        if self._closed or self._loop is None:
            raise Unavailable("Shutting down.", part=self._name)
        span = current_span()
        waiters = [_Waiter(item, self._size_of(item), self._loop.create_future(), span) for item in items]
        self._enqueue(waiters)
        too_late = DeadlineExceeded(f"Not done within {timeout_s:.3g} s.", part=self._name)
        timer = self._loop.call_later(timeout_s, _settle_all, waiters, too_late)
        try:
            return [await waiter.future for waiter in waiters]
        finally:
            timer.cancel()
            for waiter in waiters:
                waiter.future.cancel()

    def _enqueue(self, waiters: list[_Waiter[Item, Result]]) -> None:
        with self._lock:
            if len(self._queue) + len(waiters) > self._max_queue:
                self._forget_the_done()
            if len(self._queue) + len(waiters) > self._max_queue:
                self.refused += 1
                raise Overloaded(f"{len(self._queue)} items wait already; send this again later.", part=self._name)
            self._queue += waiters
            self._wake_one()

    def _forget_the_done(self) -> None:
        """One that was cancelled, or whose deadline is over, has a finished future: its work is not done."""
        self._queue = [waiter for waiter in self._queue if not waiter.future.done()]

    def _work(self, number: int) -> None:
        batch: list[_Waiter[Item, Result]] = []
        while batch := self._exchange(number, batch):
            began_ns = time.time_ns()
            self._run(batch)
            self._tell(batch, began_ns, time.time_ns())

    def _tell(self, batch: Sequence[_Waiter[Item, Result]], began_ns: int, ended_ns: int) -> None:
        """Each trace gets the run as its own, whoever else was in it."""
        self.on_run(len(batch), (ended_ns - began_ns) / 1e9)
        for span in {id(waiter.span): waiter.span for waiter in batch}.values():
            if span is not None:
                span.add("run", began_ns, ended_ns, items=len(batch))

    def _exchange(self, number: int, done: list[_Waiter[Item, Result]]) -> list[_Waiter[Item, Result]]:
        """Answers the waiters of a batch that was run, then waits for items and takes the next. Empty once closed.

        Idle before the answers go out: who asks again at once must find this worker, not wake another.
        """
        assert self._loop is not None  # noqa: S101 - the workers are started by a running loop
        with self._lock:
            self._idle.add(number)
            if done:
                self._running -= 1
                self._loop.call_soon_threadsafe(_settle_all, done)
            while not self._closed:
                self._forget_the_done()
                if self._queue:
                    self._idle.discard(number)
                    return self._take()
                self._calls[number].wait()
        return []

    def _take(self) -> list[_Waiter[Item, Result]]:
        batch = self._batch_of(self._queue[0])
        taken = set(map(id, batch))
        self._queue = [waiter for waiter in self._queue if id(waiter) not in taken]
        self._running += 1
        self._wake_one()
        return batch

    def _wake_one(self) -> None:
        """The first that is idle: the caches of its core hold the most of the model."""
        if self._queue and self._idle:
            self._calls[min(self._idle)].notify()

    def _batch_of(self, first: _Waiter[Item, Result]) -> list[_Waiter[Item, Result]]:
        batch: list[_Waiter[Item, Result]] = []
        size = 0
        for waiter in sorted(self._queue, key=lambda waiter: abs(waiter.size - first.size)):  # stable: first is first
            size += waiter.size
            too_large = self._max_size is not None and size > self._max_size
            if len(batch) == self._max_batch or (batch and too_large):
                break
            batch.append(waiter)
        return batch

    def _run(self, batch: Sequence[_Waiter[Item, Result]]) -> None:
        """Runs a batch. If it fails, runs its items one by one, so that only the one at fault gets the error."""
        run = self._run_crowded if self._running > 1 or self._queue else self._run_batch
        try:
            results = run([waiter.item for waiter in batch])
            if len(results) != len(batch):
                raise InferenceFailed(f"The model gave {len(results)} results for {len(batch)} items.")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - whatever a model raises, its waiters are answered
            if len(batch) > 1:
                for waiter in batch:
                    self._run([waiter])
                return
            log.warning("item_failed", batcher=self._name, error=type(error).__name__)
            known = isinstance(error, ServiceError)
            batch[0].outcome = error if known else InferenceFailed("The model failed on this input.", part=self._name)
            return
        for waiter, result in zip(batch, results, strict=True):
            waiter.outcome = result


def _settle_all(waiters: Sequence[_Waiter[Item, Result]], error: Exception | None = None) -> None:
    """Gives each its outcome, or `error`, unless it has been answered or has given up."""
    for waiter in waiters:
        if waiter.future.done():
            continue
        outcome = error or waiter.outcome
        if isinstance(outcome, Exception):
            waiter.future.set_exception(outcome)
            waiter.future.exception()  # seen: who waits for several is told the first
        else:
            waiter.future.set_result(outcome)  # type: ignore[arg-type]  # None is a result where the model gives it
