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
from itertools import islice
from typing import Any
from uuid import uuid4

import httptools
from asgi_correlation_id import correlation_id
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.errors import BadRequest, HeadTooLarge, RequestTimeout, ServiceError, Unavailable
from shared.web.problems import error_response

RESERVED_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
HEAD_MAX_BYTES = 64 * 1024
_SILENT_S = 1.0
_UPGRADE_HEADERS = frozenset({b"upgrade", b"http2-settings", b"connection"})


@dataclass(frozen=True)
class ConnectionLimits:
    """Past `most` connections, requests are refused but for RESERVED_PATHS; past `reserved` more, connections are."""

    most: int = 2000
    reserved: int = 100
    head_timeout_s: float = 10.0  # for the head of a request, from the connection or from its first byte
    read_timeout_s: float = 30.0  # a caller that takes nothing of its answer for so long has gone


class Caller:
    """Who sent the requests of one connection. `gone` once the connection is lost; `cut_off()` ends it."""

    def __init__(self, cut_off: Callable[[], None]) -> None:
        self.cut_off = cut_off
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
        self._patience: asyncio.TimerHandle | None = None  # with what is awaited of the caller
        self._untaken: asyncio.TimerHandle | None = None  # while the caller takes nothing
        self._in_head = True  # of a request that is awaited, or has begun
        self._in_message = False  # begun and not complete
        self._barren_bytes = 0  # of a head or of trailers, or that brought neither a whole head nor a body further
        self._barren = True
        self._refusal: ServiceError | None = None
        self._ending = False  # what comes is not read any longer
        self.heard_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._caller = Caller(transport.abort)
        self.heard_at = self.loop.time()
        self._make_room()
        if len(self.connections) > self.limits.most + self.limits.reserved:
            transport.abort()
        elif len(self.connections) > self.limits.most:
            self.app = _only_reserved_paths(self.app)
        self._wait()

    def _make_room(self) -> None:
        """Ends connections that have said nothing for a while and are owed nothing, as many as are too many."""
        too_many = len(self.connections) - self.limits.most
        if too_many > 0:
            silent_since = self.loop.time() - _SILENT_S
            silent = (
                other
                for other in self.connections
                if isinstance(other, GuardedProtocol) and not other.at_work and other.heard_at < silent_since
            )
            for other in list(islice(silent, too_many)):
                self.connections.discard(other)
                other.transport.abort()

    @property
    def at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        self.resume_writing()
        super().connection_lost(exc)
        self._caller.hang_up()

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        self.heard_at = self.loop.time()
        self._unset_keepalive_if_required()
        self._barren = True
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._refuse(self._refusal or BadRequest("This is not a valid HTTP/1.1 request."))
            return
        self._barren_bytes = self._barren_bytes + len(data) if self._barren else 0
        if self._barren_bytes > HEAD_MAX_BYTES:
            self._refuse(_too_large())
        elif not self.at_work and not self.transport.is_closing():
            self._wait()  # for a head; or for the end of a body that was answered early, which is read and dropped

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Nothing else than HTTP/1.1 is spoken here, and an offer of more may be passed over (RFC 9110, 7.8)."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(BadRequest("There is no CONNECT here."))
            return
        kept = [(name, value) for name, value in self.headers if name not in _UPGRADE_HEADERS]
        if any(name == b"connection" and b"close" in value.lower() for name, value in self.headers):
            kept.append((b"connection", b"close"))
        lines = [b"%s %s HTTP/%s" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in kept]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join((*lines, b"", rest)))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._in_head = self._in_message = True
        self._barren_bytes = 0
        self.scope["state"].update(caller=self._caller, began_at=time.monotonic())

    def on_header(self, name: bytes, value: bytes) -> None:
        self._barren_bytes += len(name) + len(value)
        if self._barren_bytes > HEAD_MAX_BYTES:
            self._refusal = _too_large()
            raise ValueError
        if self._in_head:  # else a trailer, which nobody here asks for
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._in_head = self._barren = False
        self._barren_bytes = 0
        self._wait_no_more()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._barren = False
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._in_message, self._in_head = False, True
        self._wait_no_more()
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:  # answered early: idle only from here on
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        self.heard_at = self.loop.time()
        super().on_response_complete()

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

    def _refuse(self, error: ServiceError) -> None:
        """Answers what never became a request of the app, or whose body is broken, and ends the connection."""
        self._ending = True
        if self.at_work and (self._in_head or self.cycle.response_started):
            self.cycle.keep_alive = False  # whoever is before it in the line is answered first, and last
            return
        self._caller.hang_up()
        with _request_id() as request_id:
            response = error_response(error)
        headers = (*response.raw_headers, (b"x-request-id", request_id.encode()), (b"connection", b"close"))
        lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
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


def _too_large() -> HeadTooLarge:
    return HeadTooLarge(f"The head of a request must not be longer than {HEAD_MAX_BYTES} bytes.")


@contextmanager
def _request_id() -> Iterator[str]:
    """A new one, which problems carry meanwhile: these requests never reach the middleware that gives it."""
    new = uuid4().hex
    before = correlation_id.set(new)
    try:
        yield new
    finally:
        correlation_id.reset(before)


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
