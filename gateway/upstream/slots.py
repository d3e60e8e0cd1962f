"""Connections to a service, none of which can be lost.

httpcore 1.0 forgets a place in its pool when a call is cancelled between being given a connection and opening it
(encode/httpcore#1093); a burst of callers that give up takes all places that way. Here every call has a connection of
its own, taken from those that are idle, and a call that does not end well throws its away.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

import httpx

MOST_IDLE = 64


class Slots(httpx.AsyncBaseTransport):
    """How many calls are under way is for the callers to bound. `idle_s`: an idle connection is kept for so long."""

    def __init__(self, open_transport: Callable[[], httpx.AsyncBaseTransport], *, idle_s: float) -> None:
        self._open_transport = open_transport
        self._idle_s = idle_s
        self._idle: deque[tuple[httpx.AsyncBaseTransport, float]] = deque()  # the most recently used last
        self._closing: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._idle.pop()[0] if self._idle else self._open_transport()
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            self._throw_away(transport)
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous transport gave it
        response.stream = _Answer(response.stream, transport, self)
        return response

    def take_back(self, transport: httpx.AsyncBaseTransport, *, whole: bool) -> None:
        """After its answer was read: `whole`, or not to the end."""
        if not whole:
            self._throw_away(transport)
            return
        now = time.monotonic()
        self._idle.append((transport, now))
        while self._idle and (len(self._idle) > MOST_IDLE or now - self._idle[0][1] > self._idle_s):
            self._throw_away(self._idle.popleft()[0])

    def _throw_away(self, transport: httpx.AsyncBaseTransport) -> None:
        """In a task of its own: whoever is being cancelled waits for nothing more."""
        closing = asyncio.get_running_loop().create_task(transport.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        while self._idle:
            self._throw_away(self._idle.pop()[0])
        await asyncio.gather(*self._closing)


class _Answer(httpx.AsyncByteStream):
    """The body of an answer; gives the transport back when it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream, transport: httpx.AsyncBaseTransport, slots: Slots) -> None:
        self._stream = stream
        self._transport: httpx.AsyncBaseTransport | None = transport
        self._slots = slots
        self._whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part
        self._whole = True

    async def aclose(self) -> None:
        transport, self._transport = self._transport, None
        if transport is None:
            return
        try:
            await self._stream.aclose()
        except BaseException:
            self._whole = False
            raise
        finally:
            self._slots.take_back(transport, whole=self._whole)
