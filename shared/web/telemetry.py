"""Which trace a request belongs to, and where the times of its parts go."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import OK, TRACEPARENT, PassedOn, Span, observing, part_times
from shared.web.connections import RESERVED_PATHS

_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_HEADER = TRACEPARENT.encode()


class RequestSpan(Span, Protocol):
    """Of a whole request."""

    def answered(self, method: str, route: str | None, status: int) -> None:
        """`route`: the template, never the path, which can hold identifiers."""
        ...


class Tracer(Protocol):
    """What records traces; `app.state.tracer` where there is one, closed with the app."""

    def begin(self, traceparent: str | None) -> RequestSpan:
        """Of a request that begins now. `traceparent`: the caller's, where it sent a valid one."""
        ...

    def close(self) -> None: ...


@asynccontextmanager
async def closing_tracer(app: FastAPI) -> AsyncIterator[None]:
    """What was recorded until the end is sent."""
    try:
        yield
    finally:
        tracer = tracer_of(app)
        if tracer is not None:
            await asyncio.to_thread(tracer.close)


def tracer_of(app: Any) -> Tracer | None:
    tracer: Tracer | None = getattr(app.state, "tracer", None)
    return tracer


class Telemetry:
    """Of what a caller says of its trace, only the `traceparent` is taken: `tracestate` and `baggage` are free text."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        self._parts = part_times(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        traceparent = _traceparent(scope)
        tracer = tracer_of(scope["app"])
        if tracer is None or scope["path"] in RESERVED_PATHS:
            with observing(self._parts, PassedOn(traceparent) if traceparent else None):
                await self.app(scope, receive, send)
            return
        await self._traced(tracer.begin(traceparent), scope, receive, send)

    async def _traced(self, span: RequestSpan, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        outcome = OK
        try:
            with observing(self._parts, span):
                await self.app(scope, receive, watched_send)
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            route = scope.get("route")
            known = scope["method"] in (getattr(route, "methods", None) or ())
            span.answered(scope["method"] if known else "_OTHER", getattr(route, "path", None), status)
            span.end(outcome if status < 500 else str(status))


def _traceparent(scope: Scope) -> str | None:
    sent = [value for name, value in scope["headers"] if name == _HEADER]
    return sent[0].decode() if len(sent) == 1 and _TRACEPARENT.fullmatch(sent[0]) else None
