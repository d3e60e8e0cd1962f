"""One trace over the three processes, as a collector gets it."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e.conftest import System

pytestmark = pytest.mark.e2e

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
MARKER = "Zebrowski"
HEADERS = {
    "traceparent": f"00-{TRACE}-{CALLER}-01",
    "tracestate": f"vendor={MARKER}",
    "baggage": f"patient={MARKER}",
    "User-Agent": MARKER,
    "X-Request-ID": MARKER,
}


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.bodies: list[bytes] = []

    def spans(self) -> Iterator[tuple[str, object]]:
        """The service, and a span of it."""
        for body in self.bodies:
            for of_service in ExportTraceServiceRequest.FromString(body).resource_spans:
                about = {attribute.key: attribute.value.string_value for attribute in of_service.resource.attributes}
                for scope in of_service.scope_spans:
                    yield from ((about["service.name"], span) for span in scope.spans)


class _Take(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        yield collector
        collector.shutdown()


def test_one_request_is_one_trace_over_three_processes_and_tells_nothing_that_was_sent(
    tmp_path, collector, phantom_pngs, monkeypatch
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")  # FastAPI's own traces hold paths and query strings
    system = System(tmp_path)
    system.start()
    try:
        system.wait_ready()
        with httpx.Client(base_url=system.url, timeout=30, headers=HEADERS) as client:
            asked = (
                client.put(
                    f"/v1/images/{MARKER}", content=phantom_pngs["Edema"][0], headers={"Content-Type": "image/png"}
                ),
                client.post("/v1/retrieve", json={"impression": f"{MARKER} has edema."}),
                client.get(f"/v1/images/{MARKER}/heatmap", params={"label": "Edema"}),
                client.get("/v1/images", params={"study_instance_uid": MARKER}),
                client.put(
                    f"/v1/studies/1.2/report?{MARKER}=1", content=MARKER, headers={"Content-Type": "text/plain"}
                ),
            )
        assert [answer.status_code for answer in asked][:3] == [201, 200, 200]
    finally:
        stopping = time.monotonic()
        system.stop()
    assert time.monotonic() - stopping < 10

    assert MARKER.encode() not in b"".join(collector.bodies)
    spans = list(collector.spans())
    assert {span.trace_id.hex() for _, span in spans} == {TRACE}
    where = {span.span_id: (service, span.name) for service, span in spans}
    above = {(service, span.name): where.get(span.parent_span_id, span.parent_span_id.hex()) for service, span in spans}
    expected = {
        ("gateway", "POST /v1/retrieve"): CALLER,
        ("gateway", "classify"): ("gateway", "POST /v1/retrieve"),
        ("gateway", "POST /v1/classify"): ("gateway", "classify"),
        ("text-classifier", "POST /v1/classify"): ("gateway", "POST /v1/classify"),
        ("text-classifier", "infer"): ("text-classifier", "POST /v1/classify"),
        ("text-classifier", "run"): ("text-classifier", "infer"),
        ("image-index", "POST /v1/search"): ("gateway", "POST /v1/search"),
        ("image-index", "rank"): ("image-index", "POST /v1/search"),
        ("gateway", "PUT /v1/images/{}"): ("gateway", "PUT /v1/images/{image_id}"),
        ("image-index", "PUT /v1/images/{image_id}"): ("gateway", "PUT /v1/images/{}"),
        ("image-index", "commit"): ("image-index", "PUT /v1/images/{image_id}"),
    }
    assert {name: above.get(name) for name in expected} == expected
    assert f'"trace_id": "{TRACE}"' in system.log_of("image-index")
    assert MARKER not in "".join(system.log_of(part).replace(f'"request_id": "{MARKER}"', "") for part in system.ports)
