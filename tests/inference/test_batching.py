import asyncio
import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference.batching import MicroBatcher
from shared.errors import DeadlineExceeded, InferenceFailed, InvalidInput, Overloaded, Unavailable


class Recorder:
    """A model that doubles numbers, remembers its batches, and can be held at a gate."""

    def __init__(self) -> None:
        self.entered = 0
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.entered += 1
        assert self.gate.wait(10)
        self.batches.append(list(items))
        return [2 * item for item in items]


def batcher(run_batch, **options):
    defaults = {"max_batch": 8, "max_wait_ms": 5, "max_queue": 100, "name": "test"}
    return MicroBatcher(run_batch, **(defaults | options))


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition belongs to another thread
            await asyncio.sleep(0.001)


async def test_items_that_come_together_share_a_batch():
    model = Recorder()
    async with batcher(model) as b:
        results = await asyncio.gather(*(b.submit(i, timeout_s=5) for i in range(8)))
    assert results == [2 * i for i in range(8)]
    assert model.batches == [list(range(8))]


async def test_a_full_batch_does_not_wait_for_more():
    model = Recorder()
    async with batcher(model, max_batch=2, max_wait_ms=60_000) as b:
        assert await asyncio.gather(b.submit(1, timeout_s=5), b.submit(2, timeout_s=5)) == [2, 4]


async def test_a_lonely_item_runs_after_max_wait():
    model = Recorder()
    async with batcher(model, max_wait_ms=20) as b:
        started = time.monotonic()
        assert await b.submit(3, timeout_s=5) == 6
        assert time.monotonic() - started >= 0.02


async def test_items_of_other_sizes_run_in_batches_of_their_own():
    model = Recorder()
    async with batcher(model, size_of=lambda item: item) as b:
        await asyncio.gather(*(b.submit(i, timeout_s=5) for i in (4, 100, 5, 101)))
    assert sorted(map(sorted, model.batches)) == [[4, 5], [100, 101]]


async def test_full_queue_answers_overloaded_with_retry_after():
    model = Recorder()
    model.gate.clear()
    async with batcher(model, max_batch=1, max_queue=2, max_wait_ms=0) as b:
        first = asyncio.create_task(b.submit(0, timeout_s=5))
        await until(lambda: model.entered == 1)
        waiting = [asyncio.create_task(b.submit(i, timeout_s=5)) for i in (1, 2)]
        await until(lambda: len(b._queue) == 2)
        with pytest.raises(Overloaded) as refused:
            await b.submit(3, timeout_s=5)
        model.gate.set()
        assert await asyncio.gather(first, *waiting) == [0, 2, 4]
    assert refused.value.status == 429
    assert refused.value.retry_after_s == 1


async def test_deadline_is_answered_while_the_model_is_busy_and_its_item_is_skipped():
    model = Recorder()
    model.gate.clear()
    async with batcher(model, max_batch=1, max_wait_ms=0) as b:
        busy = asyncio.create_task(b.submit(1, timeout_s=5))
        await until(lambda: model.entered == 1)
        with pytest.raises(DeadlineExceeded):
            await b.submit(2, timeout_s=0.02)
        model.gate.set()
        assert await busy == 2
        assert await b.submit(3, timeout_s=5) == 6
    assert model.batches == [[1], [3]]


async def test_cancelled_item_is_never_run():
    model = Recorder()
    model.gate.clear()
    async with batcher(model, max_batch=1, max_wait_ms=0) as b:
        busy = asyncio.create_task(b.submit(1, timeout_s=5))
        await until(lambda: model.entered == 1)
        cancelled = asyncio.create_task(b.submit(2, timeout_s=5))
        await until(lambda: len(b._queue) == 1)
        cancelled.cancel()
        model.gate.set()
        assert await busy == 2
        assert await b.submit(3, timeout_s=5) == 6
    assert model.batches == [[1], [3]]


async def test_failing_item_is_isolated_from_its_batch():
    def model(items: Sequence[int]) -> list[int]:
        if 13 in items:
            raise ValueError("a secret impression")
        return [2 * item for item in items]

    async with batcher(model, max_batch=4) as b:
        results = await asyncio.gather(*(b.submit(i, timeout_s=5) for i in (1, 13, 2, 3)), return_exceptions=True)
    assert results[0::2] == [2, 4]
    assert results[3] == 6
    assert isinstance(results[1], InferenceFailed)
    assert "secret" not in results[1].detail


async def test_error_with_an_answer_reaches_its_waiter_as_it_is():
    def model(items: Sequence[int]) -> list[int]:
        raise InvalidInput("too odd")

    async with batcher(model) as b:
        with pytest.raises(InvalidInput, match="too odd"):
            await b.submit(1, timeout_s=5)


async def test_wrong_number_of_results_rejects_every_waiter():
    async with batcher(lambda _items: [1, 2, 3]) as b:
        results = await asyncio.gather(*(b.submit(i, timeout_s=5) for i in range(2)), return_exceptions=True)
    assert [type(result) for result in results] == [InferenceFailed, InferenceFailed]


async def test_shutdown_answers_every_waiter():
    model = Recorder()
    model.gate.clear()
    b = batcher(model, max_batch=1, max_wait_ms=0)
    await b.__aenter__()
    running = asyncio.create_task(b.submit(1, timeout_s=5))
    await until(lambda: model.entered == 1)
    waiting = [asyncio.create_task(b.submit(i, timeout_s=5)) for i in (2, 3)]
    await until(lambda: len(b._queue) == 2)
    closing = asyncio.create_task(b.__aexit__())
    await asyncio.sleep(0.01)
    model.gate.set()
    await closing
    assert await running == 2
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    with pytest.raises(Unavailable):
        await b.submit(4, timeout_s=5)


@settings(max_examples=30, deadline=None)
@given(
    items=st.lists(st.integers(0, 40), max_size=40),
    bad=st.sets(st.integers(0, 40), max_size=5),
    max_batch=st.integers(1, 9),
)
def test_every_waiter_gets_the_answer_to_its_own_item(items, bad, max_batch):
    def model(batch: Sequence[int]) -> list[int]:
        if bad & set(batch):
            raise ValueError
        return [item * item for item in batch]

    async def run() -> list[object]:
        async with batcher(model, max_batch=max_batch, max_wait_ms=0.1, size_of=lambda item: item) as b:
            return await asyncio.gather(*(b.submit(i, timeout_s=10) for i in items), return_exceptions=True)

    for item, result in zip(items, asyncio.run(run()), strict=True):
        if item in bad:
            assert isinstance(result, InferenceFailed)
        else:
            assert result == item * item
