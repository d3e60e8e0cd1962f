"""ASGI middleware of every app: a limit on the size of bodies, and one log line for each request."""

import time
import traceback

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import PayloadTooLarge
from shared.problems import error_response, internal_error_response

log = structlog.get_logger("access")

LOGGED_FRAMES = 8


class BodyLimit:
    """Answers 413 once a body is longer than `max_bytes`, whatever its Content-Length said."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if declared.isdigit() and int(declared) > self.max_bytes:
            await error_response(self._too_large())(scope, receive, send)
            return
        received = 0
        started = False

        async def limited_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise self._too_large()
            return message

        async def limited_send(message: Message) -> None:
            # FastAPI turns any error while it reads a body into a 400: that answer is dropped for the one below.
            nonlocal started
            if received <= self.max_bytes or started:
                started = True
                await send(message)

        try:
            await self.app(scope, limited_receive, limited_send)
        except PayloadTooLarge:
            if received <= self.max_bytes:
                raise
        if received > self.max_bytes and not started:
            await error_response(self._too_large())(scope, receive, send)

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body must not be longer than {self.max_bytes} bytes.")


class RequestLog:
    """Logs route, status and duration of each request, and answers for errors that nobody handled.

    The route's template is logged, not the path: a path can hold identifiers, a query string anything. Of an unhandled
    error the type and the places in the code are logged, not the message: it can quote the input.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except Exception as error:  # noqa: BLE001 - the last line of defence: every request gets an answer
            places = traceback.extract_tb(error.__traceback__)[-LOGGED_FRAMES:]
            frames = [f"{place.filename}:{place.lineno} {place.name}" for place in places]
            log.error("unhandled_error", error=type(error).__name__, frames=frames)  # noqa: TRY400
            if status == 0:
                await internal_error_response()(scope, receive, watched_send)
        route = getattr(scope.get("route"), "path", "unmatched")
        elapsed_ms = round((time.perf_counter() - started) * 1000, 2)
        log.info("request", method=scope["method"], route=route, status=status, elapsed_ms=elapsed_ms)
