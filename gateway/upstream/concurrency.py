"""Several calls at once, but not all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def each(items: Sequence[Item], call: Callable[[Item], Awaitable[Result]], *, at_once: int) -> list[Result]:
    """The results in the order of `items`, or the first error; calls still under way then are cancelled."""
    if len(items) == 1:
        return [await call(items[0])]
    room = asyncio.Semaphore(at_once)

    async def call_in_turn(item: Item) -> Result:
        async with room:
            return await call(item)

    tasks = [asyncio.ensure_future(call_in_turn(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
