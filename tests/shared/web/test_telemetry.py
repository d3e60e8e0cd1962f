"""Parts are timed and traced where they are done, and nothing that a caller sent gets out that way."""

import asyncio
import socket
import time

import httpx
import pytest
import structlog
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.inference.batching import MicroBatcher
from shared.errors import Conflict
from shared.telemetry import current_span, measure, trace_id
from shared.web import traces
from shared.web.otlp import OtelTracer, open_tracer
from tests.shared.web.conftest import bare_app

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
SENT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
SECRET = "JohnDoe4711"
MARKED = {"tracestate": f"vendor={SECRET}", "baggage": f"patient={SECRET}", "user-agent": SECRET}


@pytest.fixture
def app() -> FastAPI:
    app = bare_app()
    log = structlog.get_logger("test")

    @app.get("/v1/images/{image_id}")
    async def get(image_id: str, wanted: str = "") -> dict[str, str | None]:
        with measure("outer"), measure("inner", "GET /v1/{}", "client"):
            span = current_span()
            log.info("looked")
        if wanted == "nothing":
            raise Conflict(f"Not this one: {image_id}")
        if wanted == "trouble":
            raise RuntimeError(image_id)
        return {"trace_id": trace_id(), "handed_on": span and span.traceparent}

    return app


@pytest.fixture
def recorded(app) -> InMemorySpanExporter:
    """What the app's tracer has recorded."""
    exporter = InMemorySpanExporter()
    app.state.tracer = OtelTracer("test", SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
async def client(app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


async def test_parts_are_counted_by_how_they_ended(client):
    await client.get("/v1/images/1")
    metrics = (await client.get("/metrics")).text
    for part in ("outer", "inner"):
        assert f'chex_part_duration_seconds_count{{outcome="ok",part="{part}"}} 1.0' in metrics


async def test_a_part_that_fails_is_counted_by_the_class_of_its_error(app, client):
    @app.get("/v1/fails")
    async def fails() -> None:
        with measure("failing"):
            raise Conflict(SECRET)

    await client.get("/v1/fails")
    metrics = (await client.get("/metrics")).text
    assert 'chex_part_duration_seconds_count{outcome="Conflict",part="failing"} 1.0' in metrics
    assert SECRET not in metrics


def test_outside_of_a_request_measuring_does_nothing():
    with measure("part"):
        assert current_span() is None
        assert trace_id() is None


async def test_a_callers_trace_is_handed_on_and_logged_without_a_collector(client, logged):
    answer = (await client.get("/v1/images/1", headers=SENT)).json()
    assert answer == {"trace_id": TRACE, "handed_on": SENT["traceparent"]}
    assert logged.getvalue().count(f'"trace_id": "{TRACE}"') == 2  # the route's line, and the access log's


@pytest.mark.parametrize(
    "sent",
    ["", SECRET, f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-{'0' * 16}-01", f"01-{TRACE}-{CALLER}-01", "00-a-b-01"],
)
async def test_what_is_no_traceparent_is_no_trace(client, sent):
    answer = (await client.get("/v1/images/1", headers={"traceparent": sent})).json()
    assert answer == {"trace_id": None, "handed_on": None}


async def test_spans_are_below_the_callers_and_each_other(client, recorded):
    answer = (await client.get("/v1/images/1", headers=SENT)).json()
    spans = by_name(recorded)
    request, outer, inner = (spans[name] for name in ("GET /v1/images/{image_id}", "outer", "GET /v1/{}"))
    assert request.parent.span_id == int(CALLER, 16)
    assert outer.parent.span_id == request.context.span_id
    assert inner.parent.span_id == outer.context.span_id
    assert {span.context.trace_id for span in spans.values()} == {int(TRACE, 16)}
    assert answer["handed_on"] == f"00-{TRACE}-{inner.context.span_id:016x}-01"
    assert dict(request.attributes) == {
        "http.request.method": "GET",
        "http.route": "/v1/images/{image_id}",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize(
    ("path", "method", "outcome"),
    [
        (f"/v1/images/{SECRET}?wanted={SECRET}", "GET", "UNSET"),
        (f"/v1/images/{SECRET}?wanted=nothing", "GET", "UNSET"),
        (f"/v1/images/{SECRET}?wanted=trouble", "GET", "ERROR"),
        (f"/{SECRET}", "GET", "UNSET"),
        (f"/v1/images/{SECRET}", SECRET, "UNSET"),
    ],
)
async def test_nothing_that_was_sent_is_in_a_span(client, recorded, path, method, outcome):
    await client.request(method, path, headers=MARKED)
    spans = recorded.get_finished_spans()
    assert spans[-1].status.status_code.name == outcome
    for span in spans:
        assert SECRET not in span.to_json()


async def test_a_trace_that_its_caller_does_not_sample_is_handed_on_and_not_recorded(client, recorded):
    sent = f"00-{TRACE}-{CALLER}-00"
    answer = (await client.get("/v1/images/1", headers={"traceparent": sent})).json()
    assert answer["trace_id"] == TRACE
    assert answer["handed_on"].endswith("-00")
    assert recorded.get_finished_spans() == ()


async def test_health_and_metrics_are_not_traced(client, recorded):
    for path in ("/healthz", "/readyz", "/metrics"):
        await client.get(path)
    assert recorded.get_finished_spans() == ()


async def test_a_batch_is_in_the_trace_of_each_request_that_was_in_it(app, client, recorded):
    async with MicroBatcher(list, max_batch=8, max_queue=8, name="test") as batcher:

        @app.get("/v1/batch")
        async def batch() -> int:
            return len(await batcher.submit_all(["a", "b"], timeout_s=5))

        await asyncio.gather(*(client.get("/v1/batch") for _ in range(3)))
    spans = recorded.get_finished_spans()
    requests = {span.context.span_id for span in spans if span.name == "GET /v1/batch"}
    runs = [span for span in spans if span.name == "run"]
    assert {span.parent.span_id for span in runs} == requests
    assert len(requests) == 3
    assert all(dict(span.attributes)["items"] in {2, 4, 6} for span in runs)


async def test_a_collector_that_does_not_answer_holds_up_neither_requests_nor_the_end(app, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        monkeypatch.setenv(*next(iter(environment.items())))
        app.state.tracer = open_tracer("test", environment)
        began = time.monotonic()
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
        ):
            for _ in range(20):
                assert (await client.get("/v1/images/1")).is_success
            assert time.monotonic() - began < 2
        assert time.monotonic() - began < 5
        (processor,) = app.state.tracer._provider._active_span_processor._span_processors
        processor.span_exporter.shutdown()  # else it tries again, into the next tests


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    "environment", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}]
)
def test_without_a_collector_nothing_is_recorded(app, environment, capsys):
    traces.trace(app, "test", environment)
    assert not hasattr(app.state, "tracer")
    assert capsys.readouterr().err == ""


def test_a_collector_for_which_the_extra_is_missing_is_told_of(app, monkeypatch, capsys):
    monkeypatch.setattr(traces, "_is_installed", lambda: False)
    traces.trace(app, "test", ENDPOINT)
    assert not hasattr(app.state, "tracer")
    assert "pip install '.[traces]'" in capsys.readouterr().err


def test_a_protocol_that_is_not_spoken_is_told_of(app, capsys):
    traces.trace(app, "test", ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert not hasattr(app.state, "tracer")
    assert "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf" in capsys.readouterr().err
