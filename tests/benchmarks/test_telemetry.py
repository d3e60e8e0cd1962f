"""What metrics and traces cost a request: the app itself, called without a network, its route doing nothing."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
import structlog
from fastapi import FastAPI
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.telemetry import measure
from shared.web.otlp import OtelTracer
from tests.shared.web.conftest import bare_app

pytestmark = pytest.mark.benchmark

REQUESTS = 500
PARTS = 5  # as many as a search has in the gateway, or more


@pytest.fixture(autouse=True)
def no_log() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


def app_with(part: Callable[[str], object]) -> FastAPI:
    app = bare_app()

    @app.get("/v1/work")
    async def work() -> int:
        for number in range(PARTS):
            with part(f"part-{number}"):
                pass
        return 1

    return app


def requests_to(app: FastAPI) -> Callable[[], None]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/work",
        "query_string": b"",
        "headers": [(b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: object) -> None: ...

    async def ask() -> None:
        for _ in range(REQUESTS):
            await app(dict(scope, state={}), receive, send)

    return lambda: asyncio.run(ask())


def traced(app: FastAPI) -> FastAPI:
    app.state.tracer = OtelTracer("benchmark", BatchSpanProcessor(InMemorySpanExporter()))
    return app


def test_parts_that_are_measured_against_none(side_by_side):
    plain, measured = requests_to(app_with(lambda _part: nullcontext())), requests_to(app_with(measure))
    side_by_side(f"{REQUESTS} requests of {PARTS} parts, not measured / measured", plain, measured)


def test_parts_that_are_traced_against_measured_ones(side_by_side):
    measured, recorded = requests_to(app_with(measure)), requests_to(traced(app_with(measure)))
    side_by_side(f"{REQUESTS} requests of {PARTS} parts, measured / traced as well", measured, recorded)
