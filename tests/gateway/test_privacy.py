"""No impression, image id or query string in logs, metrics, addresses or problems, whatever goes wrong."""

import io
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog

from shared.web.logs import configure_logging
from tests.gateway.fakes import problem

SECRET = "zebra"
IMPRESSION = f"Edema in Jane {SECRET}"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged at debug level, by whatever library; the root logger is as it was afterwards."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    root.handlers[:] = []
    configure_logging("gateway", "debug", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def crash(_request: httpx.Request) -> httpx.Response:
    raise RuntimeError(IMPRESSION)


FAILURES = {
    "well": [],
    "refused": [httpx.ConnectError(IMPRESSION), httpx.ConnectError(IMPRESSION)],
    "overloaded": [problem(429, "overloaded")],
    "traceback": [httpx.Response(500, text=f"Traceback: {IMPRESSION}")],
    "nonsense": [httpx.Response(200, json={"results": [IMPRESSION]})],
    "not json": [httpx.Response(200, text=IMPRESSION)],
    "crash here": [crash],
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_impression_is_nowhere_but_in_the_body_sent_on(client, classifier, index, logged, failure):
    classifier.script = list(FAILURES[failure])
    retrieved = await client.post("/v1/retrieve", json={"impression": IMPRESSION})
    classifier.script = list(FAILURES[failure])
    classified = await client.post("/v1/classify", json={"impressions": [IMPRESSION]})
    metrics = (await client.get("/metrics")).text
    assert '"event": "request"' in logged.getvalue()
    for text in (logged.getvalue(), metrics, retrieved.text, classified.text):
        assert SECRET not in text
    for request in classifier.requests + index.requests:
        assert SECRET not in f"{request.url} {request.headers}"
    assert all(SECRET not in request.content.decode() for request in index.requests)


@pytest.mark.parametrize(
    "body",
    [
        {"impression": IMPRESSION, "k": 0},
        {"impression": IMPRESSION, f"{IMPRESSION}, {SECRET}": 1},
        {"impressions": [IMPRESSION, 7]},
        {"impression": {"text": IMPRESSION}},
        {"impressions": IMPRESSION},
        [IMPRESSION],
        IMPRESSION,
    ],
)
async def test_refused_request_is_not_repeated(client, logged, body):
    response = await client.post("/v1/retrieve", json=body)
    assert response.status_code == 422
    assert SECRET not in response.text + logged.getvalue()


@pytest.mark.parametrize("path", ["", "/thumbnail", "/heatmap?label=Edema"])
async def test_image_id_is_in_no_log_and_no_metric(client, logged, path):
    await client.get(f"/v1/images/{SECRET}{path}")
    await client.get(f"/v1/images/%20{SECRET}{path}")
    assert SECRET not in logged.getvalue() + (await client.get("/metrics")).text
