import asyncio
import threading
import time
from collections.abc import Sequence
from itertools import chain

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
    defaults = {"max_batch": 8, "max_queue": 100, "name": "test"}
    return MicroBatcher(run_batch, **(defaults | options))


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition belongs to another thread
            await asyncio.sleep(0.001)


async def held(model: Recorder, b: MicroBatcher) -> asyncio.Task:
    """One item with which the model is busy until its gate is opened."""
    model.gate.clear()
    before = model.entered
    busy = asyncio.create_task(b.submit(0, timeout_s=5))
    await until(lambda: model.entered == before + 1)
    return busy


async def test_item_that_finds_the_model_idle_is_run_at_once():
    model = Recorder()
    async with batcher(model) as b:
        assert await b.submit(3, timeout_s=5) == 6
    assert model.batches == [[3]]


async def test_items_that_come_while_the_model_is_busy_share_its_next_run():
    model = Recorder()
    async with batcher(model) as b:
        busy = await held(model, b)
        waiting = [asyncio.create_task(b.submit(i, timeout_s=5)) for i in range(1, 7)]
        await until(lambda: len(b._queue) == 6)
        model.gate.set()
        assert await asyncio.gather(busy, *waiting) == [2 * i for i in range(7)]
    assert model.batches == [[0], [1, 2, 3, 4, 5, 6]]


async def test_items_of_one_call_share_runs_and_keep_their_order():
    model = Recorder()
    async with batcher(model, max_batch=4) as b:
        assert await b.submit_all([5, 3, 4, 1, 2, 6], timeout_s=5) == [10, 6, 8, 2, 4, 12]
    assert model.batches == [[5, 3, 4, 1], [2, 6]]


async def test_batch_is_the_oldest_item_and_its_like_as_many_as_fit():
    model = Recorder()
    async with batcher(model, size_of=lambda item: item, max_size=18) as b:
        busy = await held(model, b)
        waiting = [asyncio.create_task(b.submit(i, timeout_s=5)) for i in (5, 100, 8, 6, 101, 7)]
        await until(lambda: len(b._queue) == 6)
        model.gate.set()
        await asyncio.gather(busy, *waiting)
    assert model.batches == [[0], [5, 6, 7], [100], [8], [101]]


async def test_call_whose_items_do_not_all_fit_into_the_queue_leaves_none_there():
    model = Recorder()
    async with batcher(model, max_queue=3) as b:
        busy = await held(model, b)
        with pytest.raises(Overloaded):
            await b.submit_all([1, 2, 3, 4], timeout_s=5)
        model.gate.set()
        assert await busy == 0
    assert model.batches == [[0]]


async def test_one_failing_item_of_a_call_withdraws_those_that_wait():
    def run(items: Sequence[int]) -> list[int]:
        ran.extend(items)
        if 1 in items:
            raise InvalidInput("too odd")
        time.sleep(0.05)
        return list(items)

    ran: list[int] = []
    async with batcher(run, max_batch=1) as b:
        with pytest.raises(InvalidInput):
            await b.submit_all([1, 2, 3, 4, 5, 6, 7, 8], timeout_s=5)
        await until(lambda: not [waiter for waiter in b._queue if not waiter.future.done()])
    assert len(ran) < 8


async def test_second_worker_begins_only_while_the_first_is_busy_and_both_then_run_crowded():
    alone, crowded = Recorder(), Recorder()
    async with batcher(alone, run_crowded=crowded, workers=2, max_batch=2) as b:
        for number in range(4):
            await b.submit(number, timeout_s=5)
        assert alone.batches == [[0], [1], [2], [3]]
        alone.batches.clear()
        busy = await held(alone, b)
        await asyncio.gather(*(b.submit(number, timeout_s=5) for number in (4, 5, 6)))
        alone.gate.set()
        await busy
    assert alone.batches == [[0]]
    assert sorted(chain(*crowded.batches)) == [4, 5, 6]


async def test_full_queue_answers_overloaded_with_retry_after():
    model = Recorder()
    async with batcher(model, max_batch=1, max_queue=2) as b:
        first = await held(model, b)
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
    async with batcher(model, max_batch=1) as b:
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
    async with batcher(model, max_batch=1) as b:
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
    b = batcher(model, max_batch=1)
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
    workers=st.integers(1, 3),
)
def test_every_waiter_gets_the_answer_to_its_own_item(items, bad, max_batch, workers):
    def model(batch: Sequence[int]) -> list[int]:
        if bad & set(batch):
            raise ValueError
        return [item * item for item in batch]

    async def run() -> list[object]:
        async with batcher(model, max_batch=max_batch, workers=workers, size_of=lambda item: item) as b:
            return await asyncio.gather(*(b.submit(i, timeout_s=10) for i in items), return_exceptions=True)

    for item, result in zip(items, asyncio.run(run()), strict=True):
        if item in bad:
            assert isinstance(result, InferenceFailed)
        else:
            assert result == item * item
