import asyncio
import time

import pytest

from gateway.guard.lane import Lane
from shared.errors import Overloaded


async def hold(lane: Lane, until: asyncio.Event, order: list[int] | None = None, number: int = 0) -> None:
    async with lane.place():
        if order is not None:
            order.append(number)
        await until.wait()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_are_at_work_than_have_a_place_and_the_rest_wait():
    lane, done = Lane(2, 3), asyncio.Event()
    holding = [asyncio.ensure_future(hold(lane, done)) for _ in range(5)]
    await turns()
    assert (lane.at_work, lane.waiting) == (2, 3)
    done.set()
    await asyncio.gather(*holding)
    assert (lane.at_work, lane.waiting, lane.refused) == (0, 0, 0)


async def test_one_more_than_may_wait_is_refused_at_once():
    lane, done = Lane(1, 1), asyncio.Event()
    holding = [asyncio.ensure_future(hold(lane, done)) for _ in range(2)]
    await turns()
    started = time.monotonic()
    with pytest.raises(Overloaded) as refused:
        await hold(lane, done)
    assert time.monotonic() - started < 0.1
    assert refused.value.retry_after_s == 1
    assert lane.refused == 1
    done.set()
    await asyncio.gather(*holding)


async def test_whoever_waits_too_long_is_refused_and_leaves_the_queue():
    lane, done = Lane(1, 1, max_wait_s=0.05), asyncio.Event()
    holding = asyncio.ensure_future(hold(lane, done))
    await turns()
    with pytest.raises(Overloaded):
        await hold(lane, done)
    assert (lane.at_work, lane.waiting) == (1, 0)
    done.set()
    await holding


async def test_places_are_given_in_order_of_arrival():
    lane, done, order = Lane(1, 9), asyncio.Event(), []
    holding = [asyncio.ensure_future(hold(lane, done, order, number)) for number in range(9)]
    await turns()
    done.set()
    await asyncio.gather(*holding)
    assert order == list(range(9))


@pytest.mark.parametrize("turn", range(6))
async def test_whoever_is_cancelled_gives_back_a_place_or_a_turn(turn):
    lane, done = Lane(2, 50), asyncio.Event()
    holding = [asyncio.ensure_future(hold(lane, done)) for _ in range(20)]
    for _ in range(turn):
        await asyncio.sleep(0)
    for one in holding[::2]:
        one.cancel()
    done.set()
    await asyncio.gather(*holding, return_exceptions=True)
    assert (lane.at_work, lane.waiting) == (0, 0)
    async with asyncio.timeout(1), lane.place(), lane.place():
        assert lane.at_work == 2


async def test_work_that_fails_gives_back_its_place():
    lane = Lane(1, 0)
    for _ in range(3):
        with pytest.raises(ValueError):
            async with lane.place():
                raise ValueError
    assert lane.at_work == 0
