"""Every way a call to a service can fail, what the caller is told, and how often it was tried."""

import asyncio
import time

import httpx
import pytest

from gateway.upstream.http import open_http
from gateway.upstream.refusal import Refused
from gateway.upstream.services import ImageIndexClient, TextClassifierClient
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, ServiceError, Unavailable, UpstreamFailed
from shared.schemas.search import SearchRequest
from shared.schemas.text import ClassifyRequest
from tests.gateway.fakes import FakeClassifier, FakeIndex, problem

REQUEST = ClassifyRequest(impressions=["Edema"])


@pytest.fixture
def client(classifier: FakeClassifier) -> TextClassifierClient:
    return TextClassifierClient(classifier.http(), timeout_s=5)


async def failure(client: TextClassifierClient, deadline_s: float = 5) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await client.classify(REQUEST, Deadline(deadline_s))
    assert caught.value.part == "text-classifier"
    return caught.value


async def hang(_request: httpx.Request) -> httpx.Response:
    await asyncio.sleep(60)
    raise AssertionError


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("no answer"),
        httpx.ReadError("reset"),
        httpx.WriteError("broken pipe"),
        httpx.RemoteProtocolError("closed without an answer"),
    ],
)
class TestNoAnswer:
    async def test_is_tried_twice_then_unavailable(self, classifier, client, error):
        classifier.script = [error, error, error]
        failed = await failure(client)
        assert isinstance(failed, Unavailable)
        assert failed.retry_after_s == 2
        assert len(classifier.requests) == 2

    async def test_once_is_repaired_by_the_retry(self, classifier, client, error):
        classifier.script = [error]
        assert len((await client.classify(REQUEST, Deadline(5))).results) == 1
        assert len(classifier.requests) == 2


async def test_retry_sends_the_same_request(classifier, client):
    classifier.script = [httpx.ConnectError("refused")]
    await client.classify(REQUEST, Deadline(5))
    first, second = classifier.requests
    assert first.content == second.content
    assert (first.method, first.url) == (second.method, second.url)
    assert first.headers == second.headers


async def test_service_is_told_how_many_milliseconds_are_left_not_what_another_call_had(classifier, client):
    await client.classify(REQUEST, Deadline(3))
    await client.classify(REQUEST, Deadline(60))
    left_ms = [int(request.headers["x-request-deadline"]) for request in classifier.requests]
    assert 2500 < left_ms[0] <= 3000
    assert 4500 < left_ms[1] <= 5000  # the call's own limit


async def test_unavailable_service_is_tried_twice_and_its_own_words_and_wait_are_handed_on(classifier, client):
    starting = problem(503, "unavailable", "The model is still loading.", headers={"Retry-After": "7"})
    classifier.script = [starting, starting]
    failed = await failure(client)
    assert isinstance(failed, Unavailable)
    assert (failed.detail, failed.retry_after_s) == ("The model is still loading.", 7)
    assert len(classifier.requests) == 2


async def test_unavailable_once_is_repaired_by_the_retry(classifier, client):
    classifier.script = [httpx.Response(503)]
    assert (await client.classify(REQUEST, Deadline(5))).results


async def test_503_without_a_problem_still_says_when_to_try_again(classifier, client):
    classifier.script = [httpx.Response(503, text="<html>"), httpx.Response(503, text="<html>")]
    failed = await failure(client)
    assert isinstance(failed, Unavailable)
    assert failed.retry_after_s == 2


async def test_service_that_hangs_is_a_deadline_exceeded_on_time(classifier, client):
    classifier.script = [hang]
    started = time.monotonic()
    assert isinstance(await failure(client, deadline_s=0.2), DeadlineExceeded)
    assert 0.2 <= time.monotonic() - started < 5
    assert len(classifier.requests) == 1


async def test_the_calls_own_limit_holds_within_a_longer_deadline(classifier):
    classifier.script = [hang]
    client = TextClassifierClient(classifier.http(), timeout_s=0.1)
    assert isinstance(await failure(client, deadline_s=60), DeadlineExceeded)


async def test_nothing_is_sent_after_the_deadline(classifier, client):
    deadline = Deadline(0.01)
    await asyncio.sleep(0.02)
    with pytest.raises(DeadlineExceeded):
        await client.classify(REQUEST, deadline)
    assert classifier.requests == []


async def test_there_is_no_retry_without_time_for_it(classifier, client):
    classifier.script = [httpx.ConnectError("refused")]
    assert isinstance(await failure(client, deadline_s=0.04), Unavailable)
    assert len(classifier.requests) == 1


async def test_services_own_deadline_is_ours(classifier, client):
    classifier.script = [problem(504, "deadline-exceeded")]
    assert isinstance(await failure(client), DeadlineExceeded)
    assert len(classifier.requests) == 1


LABELS_MISSING = {"results": [{"labels": {}}], "model": FakeClassifier().model()}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, text="Traceback: the impression was Edema"),
        problem(500, "inference-failed"),
        problem(502, "upstream-failed"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"results": []}),
        httpx.Response(200, json=LABELS_MISSING),
        httpx.Response(200, json={"results": [], "model": FakeClassifier().model()}),
        httpx.Response(204),
        httpx.Response(302, headers={"location": "http://elsewhere"}),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(404, json={"type": "about:blank", "title": "x", "status": 404, "detail": "No such path."}),
        httpx.Response(422, json={"type": "urn:x", "title": "x", "status": 400, "detail": "Not its own status."}),
        httpx.DecodingError("not gzip"),
        httpx.LocalProtocolError("what we were about to send is not HTTP"),
    ],
    ids=lambda answer: getattr(answer, "status_code", type(answer).__name__),
)
async def test_answer_outside_the_contract_is_an_upstream_failure_tried_once(classifier, client, answer):
    classifier.script = [answer]
    failed = await failure(client)
    assert isinstance(failed, UpstreamFailed)
    assert failed.retry_after_s is None
    assert "Edema" not in failed.detail
    assert len(classifier.requests) == 1


async def test_form_that_the_service_cannot_read_is_the_callers_fault(index):
    unread = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "Check the form's boundary."}
    index.script = [httpx.Response(400, json=unread)]
    with pytest.raises(Refused) as caught:
        await ImageIndexClient(index.http()).image("a", Deadline(5))
    assert caught.value.problem.detail == "Check the form's boundary."


@pytest.mark.parametrize(("status", "kind"), [(404, "not-found"), (413, "payload-too-large"), (422, "invalid-input")])
async def test_refusal_is_handed_on_as_the_service_said_it(index, status, kind):
    index.script = [problem(status, kind, "Mend this.", errors=[{"field": "body", "message": "bad"}])]
    with pytest.raises(Refused) as caught:
        await ImageIndexClient(index.http()).image("a", Deadline(5))
    said = caught.value.problem
    assert (said.status, said.type, said.detail) == (status, f"urn:chexretriever:{kind}", "Mend this.")
    assert said.errors[0].field == "body"
    assert caught.value.headers is None
    assert len(index.requests) == 1


async def test_overload_is_handed_on_with_its_wait_and_the_part(classifier, client):
    classifier.script = [problem(429, "overloaded", headers={"Retry-After": "3"})]
    with pytest.raises(Refused) as caught:
        await client.classify(REQUEST, Deadline(5))
    assert (caught.value.problem.status, caught.value.problem.part) == (429, "text-classifier")
    assert caught.value.headers == {"Retry-After": "3"}
    assert len(classifier.requests) == 1


async def test_readiness_says_why_a_service_is_not_ready(classifier, client):
    async def detail(scripted: object) -> str | None:
        classifier.script = [scripted]
        check = await client.readiness(0.1)
        assert (check.part, check.ready) == ("text-classifier", False)
        return check.detail

    assert (await client.readiness(0.1)).ready
    assert await detail(httpx.ConnectError("refused")) == "Cannot be reached."
    assert await detail(hang) == "No answer within 0.1 s."
    assert await detail(httpx.Response(200, text="hello")) == "What answers at its address is not this service."
    assert await detail(httpx.DecodingError("not gzip")) == "What answers at its address is not this service."
    checks = [{"part": "model", "ready": True}, {"part": "store", "ready": False, "detail": "disk full"}]
    assert await detail(httpx.Response(503, json={"status": "not_ready", "checks": checks})) == "store: disk full"


async def test_readiness_says_that_a_service_that_is_ready_takes_no_writes(classifier, client):
    checks = [
        {"part": "image-index", "ready": True, "detail": "5 images"},
        {"part": "index-store", "ready": True, "writes": False, "detail": "The disk is full."},
    ]
    classifier.script = [httpx.Response(200, json={"status": "ready", "writes": False, "checks": checks})]
    check = await client.readiness(0.1)
    assert (check.ready, check.writes, check.detail) == (True, False, "index-store: The disk is full.")
    assert (await client.readiness(0.1)).writes is None  # where nothing is kept


async def test_search_asks_for_what_was_asked():
    index = FakeIndex()
    request = SearchRequest(labels={"Edema": 0.5}, k=7, ranking="cosine", min_score=0.1, filters={"age_min": 18})
    await ImageIndexClient(index.http()).search(request, Deadline(5))
    assert SearchRequest.model_validate_json(index.requests[0].content) == request


async def test_service_that_restarts_is_found_again_over_a_connection_gone_stale():
    """A real socket: the kept connection is closed by a server that is gone, and a new server takes its port."""
    answer = httpx.Response(200, json=FakeIndex().info()).content
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}\r\n\r\n".encode()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while (await reader.read(4096)) != b"":
            writer.write(head + answer)
            await writer.drain()

    async def stop(server: asyncio.Server) -> None:
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        writers.clear()
        await server.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_http(f"http://127.0.0.1:{port}") as http:
        client = ImageIndexClient(http)
        assert (await client.info(Deadline(5))).engine == "fake"
        await stop(server)
        with pytest.raises(Unavailable):
            await client.info(Deadline(5))
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        assert (await client.info(Deadline(5))).engine == "fake"
        await stop(server)
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        assert (await client.info(Deadline(5))).engine == "fake"
    await stop(server)
