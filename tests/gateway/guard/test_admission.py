"""What comes in when all places are taken: the gateway over services that are held at a gate."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.guard.admission import lane_of
from tests.gateway.fakes import FakeClassifier, FakeIndex, gateway_over

pytestmark = [pytest.mark.slow, pytest.mark.alone]

QUESTION = {"impression": "Edema"}
LONG = {"impressions": ["Edema. " * 2500] * 3}


class Gate:
    """Holds back the questions to a service, until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    def before(self, service: FakeClassifier | FakeIndex, calls: int = 99) -> None:
        async def held(request: httpx.Request) -> httpx.Response:
            await request.aread()
            if request.method == "POST":
                await self.opened.wait()
            return service.answer(request)

        service.script = [held] * calls


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
async def narrow(classifier: FakeClassifier, index: FakeIndex) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway with two places, one to wait, and one for uploads."""
    app = gateway_over(classifier, index, max_at_work=2, max_waiting=1, max_uploads=1)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        yield client


async def full(client: httpx.AsyncClient, gate: Gate, classifier: FakeClassifier) -> list[asyncio.Task]:
    """All places and the queue for questions taken."""
    gate.before(classifier)
    asking = [asyncio.create_task(client.post("/v1/retrieve", json=QUESTION)) for _ in range(3)]
    async with asyncio.timeout(5):
        while len(classifier.requests) < 2:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)
    return asking


async def test_question_too_many_is_a_429_within_a_second_and_those_before_it_are_answered(narrow, gate, classifier):
    asking = await full(narrow, gate, classifier)
    started = time.monotonic()
    refused = await narrow.post("/v1/retrieve", json=QUESTION)
    assert 0.4 < time.monotonic() - started < 1  # held back a little, for whoever ignores Retry-After
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    gate.opened.set()
    assert sorted([r.status_code for r in await asyncio.gather(*asking)])[:2] == [200, 200]


async def test_refused_body_is_not_read(narrow, gate, classifier):
    asking = await full(narrow, gate, classifier)
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append("some")
        yield b"{}"

    app = narrow._transport.app
    refused = await _raw_post(app, "/v1/retrieve", body())
    assert refused == 429
    assert read == []
    gate.opened.set()
    await asyncio.gather(*asking)


async def test_body_that_is_half_there_holds_no_place(narrow, monkeypatch):
    monkeypatch.setattr("shared.web.body.BODY_IDLE_S", 0.3)
    never = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    app = narrow._transport.app
    asking = [asyncio.create_task(_raw_post(app, "/v1/retrieve", half(), length=500)) for _ in range(10)]
    await asyncio.sleep(0.05)
    assert (await narrow.post("/v1/retrieve", json=QUESTION)).status_code == 200
    assert set(await asyncio.gather(*asking)) == {408}


async def test_body_without_a_length_is_taken_for_what_it_is(narrow, gate, classifier):
    gate.before(classifier, calls=1)
    long = [asyncio.create_task(narrow.post("/v1/classify", json=LONG)) for _ in range(5)]
    await asyncio.sleep(0.05)

    async def short() -> AsyncIterator[bytes]:
        yield json.dumps(QUESTION).encode()

    headers = {"content-type": "application/json"}
    assert (await narrow.post("/v1/retrieve", content=short(), headers=headers)).status_code == 200
    gate.opened.set()
    await asyncio.gather(*long)


async def _raw_post(app, path: str, body: AsyncIterator[bytes], length: int = 2) -> int:
    """The status of a request whose body is asked for only when the app wants it."""
    started = []

    async def receive() -> dict:
        return {"type": "http.request", "body": await anext(body), "more_body": length > 2}

    async def send(message: dict) -> None:
        started.append(message)

    headers = [(b"host", b"t"), (b"content-type", b"application/json"), (b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    await app(scope | {"headers": headers, "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
    return started[0]["status"]


async def test_health_metrics_and_pages_never_wait(narrow, gate, classifier):
    asking = await full(narrow, gate, classifier)
    for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
        assert (await narrow.get(path)).status_code == 200, path
    gate.opened.set()
    await asyncio.gather(*asking)


async def test_lanes_do_not_hold_each_other_up(narrow, gate, classifier):
    asking = await full(narrow, gate, classifier)
    assert (await narrow.get("/v1/images/image-1")).status_code == 200
    put = await narrow.put("/v1/images/new", content=b"x", headers={"content-type": "image/png"})
    assert put.status_code == 201
    gate.opened.set()
    await asyncio.gather(*asking)


async def test_long_texts_do_not_take_the_places_of_short_ones(narrow, gate, classifier):
    gate.before(classifier, calls=1)
    long = [asyncio.create_task(narrow.post("/v1/classify", json=LONG)) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert (await narrow.post("/v1/retrieve", json=QUESTION)).status_code == 200
    gate.opened.set()
    assert {response.status_code for response in await asyncio.gather(*long)} == {200}


async def test_metrics_tell_who_is_at_work_who_waits_and_how_many_were_refused(narrow, gate, classifier):
    asking = await full(narrow, gate, classifier)
    await narrow.post("/v1/retrieve", json=QUESTION)
    metrics = (await narrow.get("/metrics")).text
    assert 'chex_requests_at_work{lane="questions"} 2.0' in metrics
    assert 'chex_requests_refused_total{lane="questions"}' in metrics
    gate.opened.set()
    await asyncio.gather(*asking)


@pytest.mark.parametrize(
    ("method", "path", "length", "lane"),
    [
        ("POST", "/v1/retrieve", "100", "questions"),
        ("POST", "/v1/classify", "100", "questions"),
        ("POST", "/v1/search", "100", "questions"),
        ("POST", "/v1/retrieve", "40000", "long_questions"),
        ("POST", "/v1/retrieve", None, "questions"),
        ("POST", "/v1/retrieve", "-1", "questions"),
        ("POST", "/v1/search/by-image", "100", "uploads"),
        ("PUT", "/v1/images/a", "100", "uploads"),
        ("POST", "/v1/images", "100", "uploads"),
        ("GET", "/v1/images/a", None, "reads"),
        ("DELETE", "/v1/images/a", None, "reads"),
        ("GET", "/v1/models", None, "reads"),
        ("PUT", "/v1/studies/1.2/report", "100", "questions"),
        ("PUT", "/v1/images/a/report", "100", "questions"),
        ("PUT", "/v1/images/a/report", "40000", "long_questions"),
        ("PUT", "/v1/images/report", "100", "uploads"),
        ("POST", "/v1/reports", "100", "questions"),
        ("GET", "/v1/studies/1.2/report", None, "reads"),
        ("DELETE", "/v1/images/a/report", None, "reads"),
        ("GET", "/v1/images", None, "reads"),
        ("GET", "/healthz", None, None),
        ("GET", "/metrics", None, None),
        ("GET", "/docs", None, None),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/chex"])
def test_each_request_has_its_lane(method, path, length, lane, prefix):
    headers = [] if length is None else [(b"content-length", length.encode())]
    scope = {"type": "http", "method": method, "path": prefix + path, "root_path": prefix, "headers": headers}
    assert lane_of(scope) == lane
