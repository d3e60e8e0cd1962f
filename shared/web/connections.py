"""What uvicorn leaves open of a connection: how many there may be, how long each may say nothing, and who has gone.

uvicorn bounds neither the time nor the size of a request's head, its own `limit_concurrency` answers in plain text, and
an app is not told when its caller hangs up. This protocol adds that, and answers every refusal with a problem.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.errors import BadRequest, HeadTooLarge, RequestTimeout, ServiceError, Unavailable
from shared.web.problems import error_response

RESERVED_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
HEAD_MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class ConnectionLimits:
    """Past `most` connections, requests are refused but for RESERVED_PATHS; past `reserved` more, connections are."""

    most: int = 2000
    reserved: int = 100
    head_timeout_s: float = 10.0  # for the head of a request, from the connection or from its first byte
    read_timeout_s: float = 30.0  # a caller that takes nothing of its answer for so long has gone


class Caller:
    """Who sent the requests of one connection. `gone` once the connection is lost."""

    def __init__(self) -> None:
        self.gone = False
        self._told: Callable[[], object] | None = None

    @contextmanager
    def tells(self, told: Callable[[], object]) -> Iterator[None]:
        """Calls `told` should the caller go meanwhile; a connection has one request at work at a time."""
        self._told = told
        try:
            yield
        finally:
            self._told = None

    def hang_up(self) -> None:
        self.gone = True
        if self._told is not None:
            self._told()


class GuardedProtocol(HttpToolsProtocol):
    """Apps find in `scope["state"]` the `caller` and `began_at`, when the request's first byte came (monotonic, s)."""

    limits = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._caller = Caller()
        self._patience: asyncio.TimerHandle | None = None  # with what is awaited of the caller
        self._untaken: asyncio.TimerHandle | None = None  # while the caller takes nothing
        self._in_head = True  # of a request that is awaited, or has begun
        self._in_message = False  # begun and not complete
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.most + self.limits.reserved:
            transport.abort()
        elif len(self.connections) > self.limits.most:
            self.app = _only_reserved_paths(self.app)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        self.resume_writing()
        super().connection_lost(exc)
        self._caller.hang_up()

    def data_received(self, data: bytes) -> None:
        began_before = self._in_message
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and began_before:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_MAX_BYTES:
                self._refuse(HeadTooLarge(f"The head of a request must not be longer than {HEAD_MAX_BYTES} bytes."))
                return
        # A body that is still coming after its request was answered is read and dropped, but not for ever.
        answered = self.cycle is not None and self.cycle.response_complete
        if self._in_message and (self._in_head or answered):
            self._wait()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._head_bytes = 0
        self.scope["state"].update(caller=self._caller, began_at=time.monotonic())

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._wait_no_more()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_message = False
        self._wait_no_more()
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:  # answered early: idle only from here on
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.limits.read_timeout_s, self.transport.abort)  # should it not take what is left

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._untaken is None:
            self._untaken = self.loop.call_later(self.limits.read_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's words quote the request
        self._refuse(BadRequest("This is not a valid HTTP/1.1 request."))

    def _refuse(self, error: ServiceError) -> None:
        """The answer to what never became a request of the app."""
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()  # within another answer there is no place for one
            return
        response = error_response(error)
        lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()]
        lines += [name + b": " + value for name, value in (*response.raw_headers, (b"connection", b"close"))]
        self.transport.write(b"\r\n".join((*lines, b"", bytes(response.body))))
        self.transport.close()

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(self.limits.head_timeout_s, self._too_slow)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _too_slow(self) -> None:
        if self._in_head and self._in_message:
            self._refuse(RequestTimeout("The head of the request did not arrive in time."))
        else:
            self.transport.close()


def _only_reserved_paths(app: Any) -> Any:
    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in RESERVED_PATHS:
            await app(scope, receive, send)
            return
        full = Unavailable("There are too many connections; send this again later.", retry_after_s=2)
        response = error_response(full)
        response.headers["Connection"] = "close"
        await response(scope, receive, send)

    return limited
