"""So many at work, so many waiting for not too long: whoever comes beyond that is told at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.errors import Overloaded
from shared.telemetry import measure

MAX_WAIT_S = 0.8


class Lane:
    """`at_work` hold a place at once; `waiting` more wait for one, in order of arrival, for `max_wait_s` at most."""

    def __init__(self, at_work: int, waiting: int, *, max_wait_s: float = MAX_WAIT_S) -> None:
        self._places = asyncio.Semaphore(at_work)
        self._max_waiting = waiting
        self._max_wait_s = max_wait_s
        self.at_work = 0
        self.waiting = 0
        self.refused = 0

    def refuse_if_full(self) -> None:
        """Raises Overloaded where there is neither a place nor room to wait for one."""
        if self._places.locked() and self.waiting >= self._max_waiting:
            self.refused += 1
            raise Overloaded("Too many requests are waiting; send this again later.")

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Raises Overloaded where there is no place, and none comes free in time."""
        with measure("place"):
            await self._enter()
        self.at_work += 1
        try:
            yield
        finally:
            self.at_work -= 1
            self._places.release()

    async def _enter(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        self.refuse_if_full()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._max_wait_s):
                await self._places.acquire()
        except TimeoutError:
            self.refused += 1
            raise Overloaded("No place came free in time; send this again later.") from None
        finally:
            self.waiting -= 1
