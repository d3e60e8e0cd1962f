import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry

from shared.errors import Overloaded, UpstreamFailed
from shared.labels import LABELS
from shared.schemas.search import SearchRequest
from shared.schemas.system import Check
from shared.schemas.text import ClassifyRequest
from shared.web.app import new_app
from shared.web.documented import documented
from shared.web.logs import configure_logging
from shared.web.metrics import RequestMetrics
from shared.web.request_log import RequestLog

SECRET = "Jane Roe has a mass"


@asynccontextmanager
async def no_lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
def checks() -> list[Check]:
    return [Check(part="model", ready=True)]


@pytest.fixture
def app(checks) -> FastAPI:
    async def readiness() -> list[Check]:
        return checks

    app = new_app(
        title="Test",
        description="",
        readiness=readiness,
        lifespan=no_lifespan,
        max_body_bytes=1000,
        time_limit_s=lambda _scope: 10,
        max_json_bytes=900,
    )

    @app.post("/v1/classify", responses=documented(Overloaded))
    async def classify(request: ClassifyRequest) -> int:
        return len(request.impressions)

    @app.post("/v1/search")
    async def search(request: SearchRequest) -> int:
        return request.k

    @app.post("/v1/bytes")
    async def count(request: Request) -> int:
        return len(await request.body())

    @app.get("/v1/crash/{image_id}")
    async def crash(image_id: str, label: str = "") -> None:
        raise RuntimeError(SECRET)

    @app.get("/v1/overloaded")
    async def overloaded() -> None:
        raise Overloaded("Wait.", part="text-classifier", retry_after_s=3)

    return app


@pytest.fixture
async def client(app) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def assert_problem(response: httpx.Response, status: int) -> dict:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


async def test_error_answers_as_a_problem_with_part_and_retry_after(client):
    response = await client.get("/v1/overloaded")
    problem = assert_problem(response, 429)
    assert response.headers["retry-after"] == "3"
    assert problem["part"] == "text-classifier"
    assert problem["type"] == "urn:chexretriever:overloaded"


async def test_invalid_body_names_the_field_and_never_repeats_the_input(client):
    response = await client.post("/v1/classify", json={"impressions": ["ok", {"text": SECRET}], SECRET + "!": 1})
    problem = assert_problem(response, 422)
    assert {error["field"] for error in problem["errors"]} == {"body.impressions.1", "body.*"}
    assert SECRET not in response.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"null"])
async def test_body_that_is_no_request_is_a_422(client, body):
    assert_problem(await client.post("/v1/classify", content=body, headers={"content-type": "application/json"}), 422)


async def test_unknown_label_is_a_422_that_lists_the_labels(client):
    problem = assert_problem(await client.post("/v1/search", json={"labels": ["Cough"]}), 422)
    assert LABELS[0] in json.dumps(problem)


async def test_ages_out_of_order_are_refused(client):
    body = {"labels": ["Edema"], "filters": {"age_min": 50, "age_max": 20}}
    problem = assert_problem(await client.post("/v1/search", json=body), 422)
    assert "age_min" in problem["errors"][0]["message"]


async def test_declared_long_body_is_refused_unread(client):
    assert_problem(await client.post("/v1/bytes", content=b"x" * 1001), 413)


async def test_long_body_without_a_length_is_refused_once_it_is_too_long(client):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 300

    assert_problem(await client.post("/v1/bytes", content=chunks()), 413)


async def test_body_at_the_limit_is_read(client):
    assert (await client.post("/v1/bytes", content=b"x" * 1000)).json() == 1000


async def test_unknown_path_and_method_are_problems(client):
    assert_problem(await client.get("/nowhere"), 404)
    assert_problem(await client.get("/v1/classify"), 405)


async def test_refused_method_comes_with_all_that_the_path_takes(app, client):
    @app.put("/v1/classify")
    async def put() -> None: ...

    assert (await client.delete("/v1/classify")).headers["allow"] == "POST, PUT"


async def test_request_id_comes_back(client):
    response = await client.get("/healthz", headers={"X-Request-ID": "pacs-42"})
    assert response.headers["x-request-id"] == "pacs-42"


@pytest.mark.parametrize("sent", ["a b", "x" * 129, "<script>", 'quote"'])
async def test_odd_request_id_is_replaced(client, sent):
    response = await client.get("/healthz", headers={"X-Request-ID": sent})
    assert response.headers["x-request-id"] not in {"", sent}


async def test_readiness_names_the_part_that_is_not_ready(client, checks):
    assert (await client.get("/readyz")).json()["status"] == "ready"
    checks.append(Check(part="store", ready=False, detail="disk full"))
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"][-1] == {"part": "store", "ready": False, "writes": None, "detail": "disk full"}


@pytest.mark.parametrize(("of_store", "writes"), [(None, None), (True, True), (False, False)])
async def test_readiness_says_whether_writes_are_taken_and_stays_while_they_are_not(client, checks, of_store, writes):
    checks.append(Check(part="store", ready=True, writes=of_store))
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["writes"]) == (200, writes)


async def test_metrics_count_requests_by_route_template(client):
    await client.get("/v1/crash/1.2.3")
    metrics = (await client.get("/metrics")).text
    assert 'handler="/v1/crash/{image_id}",method="GET",status="5xx"' in metrics
    assert "1.2.3" not in metrics


async def test_openapi_page_needs_no_outside_asset(client):
    page = (await client.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    script = page.split('<script src="')[1].split('"')[0]
    assert (await client.get(script)).status_code == 200


async def test_openapi_describes_problems(client):
    schema = (await client.get("/openapi.json")).json()
    responses = schema["paths"]["/v1/classify"]["post"]["responses"]
    for status in ("422", "429"):
        assert list(responses[status]["content"]) == ["application/problem+json"]
    assert "Problem" in schema["components"]["schemas"]


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict]]]:
    """The lines logged so far; the root logger is as it was afterwards."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    root.handlers[:] = []
    configure_logging("test", "debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_log_has_one_json_line_a_request_with_route_and_request_id(client, logged):
    await client.get("/v1/crash/1.2.3?label=Edema", headers={"X-Request-ID": "r1"})
    error, request = (line for line in logged() if line["level"] != "debug")
    assert (request["event"], request["route"], request["status"]) == ("request", "/v1/crash/{image_id}", 500)
    assert request["request_id"] == error["request_id"] == "r1"
    assert error["error"] == "RuntimeError"


async def test_neither_log_nor_answer_holds_input_or_exception_text(client, logged):
    responses = [
        await client.get("/v1/crash/1.2.3"),
        await client.post("/v1/classify", json={"impressions": [SECRET]}),
        await client.post("/v1/classify", json={"impressions": [1], "note": SECRET}),
    ]
    text = json.dumps(logged()) + "".join(response.text for response in responses)
    assert "unhandled_error" in text
    assert SECRET not in text
    assert "1.2.3" not in text


def test_error_of_a_library_is_logged_without_what_it_was_at_work_on(logged):
    def fails(header: str) -> None:
        raise ValueError(header)

    try:
        fails(SECRET)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
        structlog.get_logger("test").exception("failed")
    foreign, own = logged()
    assert foreign["error"] == own["error"] == "ValueError"
    assert foreign["frames"][-1].endswith(" fails")
    assert SECRET not in json.dumps([foreign, own])


async def test_error_after_the_answer_began_adds_nothing_to_it(logged):
    async def half_an_answer(_scope, _receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise UpstreamFailed(SECRET)

    sent = []

    async def send(message) -> None:
        sent.append(message)

    await RequestLog(half_an_answer, RequestMetrics(CollectorRegistry()))({"type": "http", "method": "GET"}, None, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    error, request = (line for line in logged() if line["level"] != "debug")
    assert (error["error"], request["status"]) == ("UpstreamFailed", 200)
