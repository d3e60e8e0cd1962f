"""Requests that are sent again under their Idempotency-Key: the gateway over services that count what reaches them."""

import asyncio
import sqlite3
from contextlib import closing

import httpx
import pytest

from gateway.guard.idempotency import kept_answers
from tests.gateway.fakes import gateway_over, problem

PNG = {"Content-Type": "image/png", "Idempotency-Key": "first"}
REPORT = {"text": "Mild cardiomegaly.", "accession_number": "A0042"}
TYPE = "urn:chexretriever:"


async def post(client: httpx.AsyncClient, content: bytes = b"pixels", **more: object) -> httpx.Response:
    return await client.post("/v1/images", content=content, **{"headers": PNG, **more})


async def test_request_that_is_sent_again_gets_the_first_answer_and_reaches_no_service(client, index):
    first, again = await post(client), await post(client)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert len(index.requests) == 1


async def test_report_that_is_sent_again_is_read_and_given_once(client, classifier, index):
    key = {"Idempotency-Key": "of a report"}
    first, again = [await client.post("/v1/reports", json=REPORT, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (len(classifier.requests), len(index.requests)) == (1, 1)


async def test_form_is_the_same_request_whatever_its_boundary(client, index):
    for boundary in ("one", "another", "a" * 70):
        type_ = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        files = {"file": ("chest.png", b"pixels" * 20, "image/png")}
        assert (await client.post("/v1/images", files=files, headers=PNG | type_)).status_code == 201
    assert len(index.requests) == 1


ANOTHER = {
    "body": {"content": b"other pixels"},
    "longer body": {"content": b"pixelspixels"},
    "query": {"params": {"replace": "true"}},
    "type": {"headers": PNG | {"Content-Type": "image/jpeg"}},
}


@pytest.mark.parametrize("change", ANOTHER)
async def test_key_of_another_request_is_refused_and_nothing_is_sent_on(client, index, change):
    await post(client)
    refused = await post(client, **ANOTHER[change])
    assert (refused.status_code, refused.json()["type"]) == (422, f"{TYPE}idempotency-key-reused")
    assert len(index.requests) == 1
    assert (await post(client)).headers["idempotency-replayed"] == "true"


async def test_key_of_another_call_is_refused(client, classifier, index):
    await post(client)
    refused = await client.post("/v1/reports", json=REPORT, headers={"Idempotency-Key": "first"})
    assert (refused.status_code, refused.json()["type"]) == (422, f"{TYPE}idempotency-key-reused")
    assert (len(index.requests), classifier.requests) == (1, [])


async def test_other_key_is_another_request(client, index):
    await post(client)
    again = await post(client, headers=PNG | {"Idempotency-Key": "second"})
    assert (again.status_code, "idempotency-replayed" in again.headers) == (200, False)
    assert len(index.requests) == 2


@pytest.mark.parametrize(
    "failure",
    [
        problem(409, "conflict"),
        problem(422, "not-a-chest-radiograph"),
        problem(429, "overloaded", headers={"retry-after": "1"}),
        problem(503, "unavailable"),
        httpx.ConnectError("gone"),
        httpx.Response(500),
    ],
)
async def test_failure_is_not_kept(client, index, failure):
    index.script = [failure] * 2  # an upload is not repeated by the gateway itself once it has begun
    assert (await post(client)).status_code >= 400
    index.script = []
    for expected in (201, 201):
        assert (await post(client)).status_code == expected


async def test_request_may_be_mended_under_its_key(client):
    assert (await post(client, b"a cat")).json()["type"] == f"{TYPE}not-a-chest-radiograph"
    assert (await post(client, b"a chest")).status_code == 201


async def test_request_without_a_key_is_done_each_time(client, index, settings):
    for expected in (201, 200):
        assert (await post(client, headers={"Content-Type": "image/png"})).status_code == expected
    assert not (settings["gateway_dir"] / kept_answers.FILE_NAME).exists()


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "caf\u00e9", "a\tb", "\x7f"])
async def test_key_that_is_none_is_refused(client, index, key):
    refused = await post(client, headers={b"Content-Type": b"image/png", b"Idempotency-Key": key.encode("latin-1")})
    assert (refused.status_code, refused.json()["type"]) == (400, f"{TYPE}bad-request")
    assert index.requests == []


async def test_two_keys_are_refused(client, index):
    headers = [("Content-Type", "image/png"), ("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    assert (await post(client, headers=headers)).status_code == 400
    assert index.requests == []


@pytest.mark.parametrize("key", ["x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "two words", "  padded \t"])
async def test_key_may_be_any_printable_ascii(client, key):
    headers = {b"Content-Type": b"image/png", b"Idempotency-Key": key.encode()}
    assert (await post(client, headers=headers)).status_code == 201
    assert (await post(client, headers=headers)).headers["idempotency-replayed"] == "true"


async def test_body_of_a_known_key_is_held_to_the_limit(client):
    await post(client)

    async def long():
        for _ in range(3):
            yield b"x" * 400

    assert (await post(client, long())).status_code == 413


async def test_calls_that_do_not_declare_the_header_pass_it_over(client, index):
    for _ in range(2):
        searched = await client.post("/v1/search", json={"labels": ["Edema"]}, headers={"Idempotency-Key": "first"})
        put = await client.put("/v1/images/a", content=b"x", headers=PNG)
        assert (searched.status_code, put.is_success) == (200, True)
        assert not {"idempotency-replayed"} & {*searched.headers, *put.headers}
    assert len(index.requests) == 4


async def test_answer_outlives_the_process_but_not_its_time(classifier, index, settings):
    answers = []
    for hours in (24, 24, 1e-9):
        app = gateway_over(classifier, index, **settings, idempotency_hours=hours)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
        ):
            answers.append(await post(client))
    assert answers[1].content == answers[0].content
    assert ["idempotency-replayed" in answer.headers for answer in answers] == [False, True, False]


async def test_what_is_out_of_time_is_forgotten_though_nothing_comes(tmp_path):
    now = 0.0
    kept = kept_answers.KeptAnswers(tmp_path, hours=1, clock=lambda: now)
    await kept.begin("caller", "key")
    await kept.keep("caller", "key", kept_answers.Answer(b"request", 200, {}, b"an answer", {}))
    for seconds, there in ((3599.0, True), (3600.0, False)):
        now = seconds
        kept.forget_old()
        files = [file.read_bytes() for file in tmp_path.iterdir()]
        assert any(b"an answer" in content for content in files) == there
    kept.close()


async def test_what_is_kept_says_nothing_of_key_body_or_report(client, settings):
    secret = "zebra"
    headers = {"Idempotency-Key": secret}
    await client.post("/v1/reports", json={"text": f"Edema, {secret}.", "accession_number": secret}, headers=headers)
    await post(client, secret.encode(), headers=PNG | headers | {"Idempotency-Key": f"{secret}2"})
    kept = [file for file in settings["gateway_dir"].rglob("*") if file.is_file()]
    assert kept_answers.FILE_NAME in {file.name for file in kept}
    for file in kept:
        assert secret.encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("reused", [True, False])
async def test_second_while_the_first_is_at_work_is_told_to_wait(client, index, reused):
    reached, opened = asyncio.Event(), asyncio.Event()

    async def held(request: httpx.Request) -> httpx.Response:
        await request.aread()
        reached.set()
        await opened.wait()
        return index.answer(request)

    index.script = [held]
    first = asyncio.create_task(post(client))
    await reached.wait()
    refused = await post(client, b"other pixels" if reused else b"pixels")
    assert (refused.status_code, refused.json()["type"]) == (409, f"{TYPE}still-at-work")
    assert int(refused.headers["retry-after"]) >= 1
    opened.set()
    assert (await first).status_code == 201
    assert (await post(client)).headers["idempotency-replayed"] == "true"
    assert len(index.requests) == 1


async def test_request_whose_caller_went_away_is_done_again(client, index):
    reached = asyncio.Event()

    async def never(_request: httpx.Request) -> httpx.Response:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    index.script = [never]
    first = asyncio.create_task(post(client))
    await reached.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (await post(client)).status_code == 201


@pytest.mark.slow
async def test_where_answers_cannot_be_kept_only_requests_with_a_key_are_refused(client, index, settings):
    await post(client)
    with closing(sqlite3.connect(settings["gateway_dir"] / kept_answers.FILE_NAME)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = await post(client, headers=PNG | {"Idempotency-Key": "second"})
        assert (refused.status_code, refused.json()["type"]) == (503, f"{TYPE}unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await post(client, headers={"Content-Type": "image/png"})).status_code == 200
        assert len(index.requests) == 2
        other.rollback()
    assert (await post(client, headers=PNG | {"Idempotency-Key": "second"})).status_code == 200


async def test_file_that_cannot_be_opened_costs_requests_without_a_key_nothing(client, settings):
    (settings["gateway_dir"] / kept_answers.FILE_NAME).mkdir(parents=True)
    assert (await post(client)).status_code == 503
    assert (await post(client, headers={"Content-Type": "image/png"})).status_code == 201
