"""Micro-batching: requests that come at about the same time share one run of the model.

Every waiter gets an answer: its result, its own error, 429 at a full queue, 504 at its deadline, 503 at shutdown.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import structlog

from shared.errors import DeadlineExceeded, InferenceFailed, Overloaded, ServiceError, Unavailable

log = structlog.get_logger("batching")

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class _Waiter(Generic[Item, Result]):
    item: Item
    bucket: int
    future: asyncio.Future[Result]
    arrived: float


class MicroBatcher(Generic[Item, Result]):
    """Collects items and runs them in batches, in one thread beside the event loop.

    `run_batch` takes up to `max_batch` items and returns one result for each, in order. A batch starts when it is full
    or when its oldest item has waited `max_wait_ms`. At most `max_queue` items wait. Items are batched with items of
    similar size only (`size_of` in the same power of two), so that a short one is not padded to a long one.
    """

    def __init__(
        self,
        run_batch: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        max_batch: int,
        max_wait_ms: float,
        max_queue: int,
        size_of: Callable[[Item], int] | None = None,
        name: str,
    ) -> None:
        self._run_batch = run_batch
        self._max_batch = max_batch
        self._max_wait_s = max_wait_ms / 1000
        self._max_queue = max_queue
        self._size_of = size_of or (lambda _item: 1)
        self._name = name
        self._queue: deque[_Waiter[Item, Result]] = deque()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-batch")
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._worker = asyncio.create_task(self._work(), name=f"{self._name}-batcher")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Finish the batch that is running; every item that still waits is answered with Unavailable."""
        self._closed = True
        self._wake.set()
        if self._worker is not None:
            await self._worker
        self._thread.shutdown()

    async def submit(self, item: Item, *, timeout_s: float) -> Result:
        """The result for one item.

        Raises Overloaded (queue full), DeadlineExceeded (`timeout_s` is over), Unavailable (shutting down), or what
        the model raised for this item: a ServiceError as it is, anything else as InferenceFailed.
        """
        if self._closed or self._worker is None or self._worker.done():
            raise Unavailable("Shutting down.", part=self._name)
        if len(self._queue) >= self._max_queue:
            raise Overloaded(f"{self._max_queue} items wait already; send this again later.", part=self._name)
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        bucket = self._size_of(item).bit_length()
        self._queue.append(_Waiter(item, bucket, future, time.monotonic()))
        self._wake.set()
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            raise DeadlineExceeded(f"Not done within {timeout_s:.3g} s.", part=self._name) from None

    async def _work(self) -> None:
        try:
            while not self._closed:
                batch = await self._next_batch()
                if batch:
                    await self._answer(batch)
        finally:
            for waiter in self._queue:
                _reject(waiter, Unavailable("Shutting down.", part=self._name))
            self._queue.clear()

    async def _next_batch(self) -> list[_Waiter[Item, Result]]:
        """Wait until a batch is due and take it from the queue: the oldest item and its like. Empty if closed."""
        while not self._closed:
            # A waiter that was cancelled, or whose deadline is over, has a finished future: its work is not done.
            self._queue = deque(waiter for waiter in self._queue if not waiter.future.done())
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            oldest = self._queue[0]
            batch = [waiter for waiter in self._queue if waiter.bucket == oldest.bucket][: self._max_batch]
            patience_s = oldest.arrived + self._max_wait_s - time.monotonic()
            if len(batch) == self._max_batch or patience_s <= 0:
                taken = set(map(id, batch))
                self._queue = deque(waiter for waiter in self._queue if id(waiter) not in taken)
                return batch
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), patience_s)
            except TimeoutError:
                continue
        return []

    async def _answer(self, batch: Sequence[_Waiter[Item, Result]]) -> None:
        """Run a batch. If it fails, run its items one by one, so that only the one at fault gets the error."""
        try:
            results = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._run_batch, [waiter.item for waiter in batch]
            )
            if len(results) != len(batch):
                raise InferenceFailed(f"The model gave {len(results)} results for {len(batch)} items.")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - whatever a model raises, its waiters are answered
            if len(batch) > 1:
                for waiter in batch:
                    await self._answer([waiter])
                return
            log.warning("item_failed", batcher=self._name, error=type(error).__name__)
            known = isinstance(error, ServiceError)
            _reject(batch[0], error if known else InferenceFailed("The model failed on this input.", part=self._name))
            return
        for waiter, result in zip(batch, results, strict=True):
            if not waiter.future.done():
                waiter.future.set_result(result)


def _reject(waiter: _Waiter[Item, Result], error: Exception) -> None:
    if not waiter.future.done():
        waiter.future.set_exception(error)
