"""A report beside an image in a form: the index gets both in one request, the report as labels, or it keeps nothing."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.routes.report_texts import MAX_REPORT_BYTES
from tests.gateway.fakes import problem
from tests.gateway.forms import FORM, form, part, parts_of

PIXELS = b"\x00\r\n--\xff" * 1000
FILE = part("file", PIXELS, "image/png")
METADATA = part("metadata", b'{"view_position": "PA"}', "application/json")
REPORT = part("report", b"Edema, no Fracture.")


@pytest.mark.parametrize("way_in", [("PUT", "/v1/images/a"), ("POST", "/v1/images")])
@pytest.mark.parametrize("parts", [(FILE, METADATA, REPORT), (REPORT, FILE)])
async def test_labels_stand_in_the_place_of_the_text_beside_the_image(client, classifier, index, way_in, parts):
    response = await client.request(*way_in, content=form(*parts), headers=FORM)
    assert response.status_code == 201, response.text
    (asked,) = classifier.requests
    assert json.loads(asked.content)["impressions"] == ["Edema, no Fracture."]
    (sent,) = index.requests
    got = parts_of(sent)
    assert len(got) == len(parts)
    assert got["file"][1] == PIXELS
    head, labels = got["report"]
    assert b"Content-Type: application/json" in head
    states = json.loads(labels)["states"]
    assert (states["Edema"], states["Fracture"], states["Pneumonia"]) == ("present", "absent", "not_mentioned")
    assert b"Edema, no" not in sent.content


async def test_part_may_be_json_that_says_when_the_report_was_issued(client, index):
    said = json.dumps({"text": "Edema.", "issued": "2026-03-01T09:30:00Z"}).encode()
    sent = form(part("report", said, "application/json"), FILE)
    assert (await client.put("/v1/images/a", content=sent, headers=FORM)).status_code == 201
    labels = json.loads(parts_of(index.requests[0])["report"][1])
    assert (labels["issued"], labels["states"]["Edema"]) == ("2026-03-01T09:30:00Z", "present")


async def test_options_of_the_image_are_passed_on_beside_its_report(client, index):
    await client.put("/v1/images/a?replace=true&accept_any=true", content=form(FILE, REPORT), headers=FORM)
    assert dict(index.requests[0].url.params) == {"replace": "true", "accept_any": "true"}


async def test_image_reaches_the_index_while_it_arrives_and_its_report_after_it(client, classifier, index):
    """The index has the beginning of the file before the client has sent the rest."""
    sent: list[int] = []
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        whole = form(FILE, REPORT)
        for number in range(10):
            sent.append(number)
            yield whole[number * len(whole) // 10 : (number + 1) * len(whole) // 10]

    async def in_parts(request: httpx.Request) -> httpx.Response:
        seen.extend([len(sent) async for _ in request.stream])
        return httpx.Response(201, json=index.record("image-1"))

    index.script = [in_parts]
    assert (await client.put("/v1/images/a", content=body(), headers=FORM)).status_code == 201
    assert seen[0] == 1


FAULTS: dict[str, tuple[bytes, int, str]] = {
    "not a form": (b"Edema.", 400, "boundary"),
    "cut in the image": (form(FILE)[:500], 400, "closing boundary"),
    "cut in the report": (form(FILE, REPORT)[:-20], 400, "closing boundary"),
    "not closed": (form(FILE, REPORT, end=b"\r\n"), 400, "closing boundary"),
    "nameless": (form(FILE, b"Content-Disposition: form-data\r\n\r\nEdema."), 400, "name"),
    "two reports": (form(FILE, REPORT, REPORT), 422, "two parts named report"),
    "too long": (form(FILE, part("report", b"x" * (MAX_REPORT_BYTES + 1))), 413, "262,144"),
    "too many characters": (form(FILE, part("report", b"x" * 20_001)), 422, "not valid"),
    "empty": (form(FILE, part("report", b"")), 422, "not valid"),
    "not utf-8": (form(FILE, part("report", b"\xff")), 422, "UTF-8"),
    "json as text": (form(FILE, part("report", b'{"text": "Edema."}')), 422, "send it as application/json"),
    "not json": (form(FILE, part("report", b"Edema.", "application/json")), 422, "report is not valid JSON"),
    "other type": (form(FILE, part("report", b"Edema.", "application/pdf")), 415, "text/plain"),
    "another language": (form(FILE, part("report", b"Derrame pleural.")), 422, "language: es"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_form_that_is_wrong_is_refused_and_nothing_of_it_is_stored(client, index, fault):
    body, status, says = FAULTS[fault]
    response = await client.put("/v1/images/a", content=body, headers=FORM)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert says in response.json()["detail"]
    assert "a" not in index.images


async def test_field_of_the_report_that_is_wrong_is_named_with_its_place(client):
    sent = form(part("report", b'{"text": "Edema.", "isued": 1}', "application/json"), FILE)
    response = await client.put("/v1/images/a", content=sent, headers=FORM)
    assert response.json()["errors"][0]["field"] == "body.report.isued"


async def test_form_without_a_boundary_is_refused_before_the_index_is_asked(client, index):
    response = await client.put("/v1/images/a", content=form(FILE), headers={"Content-Type": "multipart/form-data"})
    assert response.status_code == 400
    assert index.requests == []


@pytest.mark.parametrize(
    ("failing", "status"),
    [
        (httpx.ConnectError("x"), 503),
        (problem(429, "overloaded"), 429),
        (problem(422, "invalid-input", "Impression 1 has 90,000 tokens."), 422),
        (httpx.Response(200, json={}), 502),
    ],
)
async def test_report_that_cannot_be_read_now_ends_the_upload_and_nothing_is_stored(
    client, classifier, index, failing, status
):
    classifier.script = [failing, failing]
    response = await client.put("/v1/images/a", content=form(FILE, REPORT), headers=FORM)
    assert response.status_code == status
    if status != 422:
        assert response.json()["part"] == "text-classifier"
    assert "a" not in index.images
    assert len(index.requests) == 1  # it was begun, and so is not sent again


async def test_reading_takes_no_longer_than_the_index_waits_for_the_rest(client, classifier, index, monkeypatch):
    monkeypatch.setattr("gateway.routes.uploads.READ_WITHIN_S", 0.05)

    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return classifier.answer(request)

    classifier.script = [never]
    response = await client.put("/v1/images/a", content=form(FILE, REPORT), headers=FORM)
    assert (response.status_code, response.json()["part"]) == (504, "text-classifier")
    assert "a" not in index.images


async def test_client_that_goes_away_in_its_report_leaves_nothing_behind(client, classifier, index):
    app = client._transport.app
    messages = [
        {"type": "http.request", "body": form(FILE, REPORT)[:-20], "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent = []

    async def receive() -> dict:
        return messages.pop(0)

    async def send(message: dict) -> None:
        sent.append(message)

    headers = [(b"content-type", FORM["Content-Type"].encode()), (b"content-length", b"9000")]
    scope = {"type": "http", "method": "PUT", "path": "/v1/images/a", "raw_path": b"/v1/images/a", "query_string": b""}
    await app(scope | {"headers": headers, "root_path": ""}, receive, send)
    assert sent[0]["status"] == 400
    assert classifier.requests == []
    assert "a" not in index.images


async def test_form_that_found_no_connection_is_sent_again_and_read_once(client, classifier, index):
    index.script = [httpx.ConnectError("refused")]
    assert (await client.put("/v1/images/a", content=form(FILE, REPORT), headers=FORM)).status_code == 201
    assert len(index.requests) == 2
    assert len(classifier.requests) == 1


async def test_form_of_a_search_is_passed_on_untouched(client, classifier, index):
    sent = form(FILE, part("options", b'{"k": 1}'))
    assert (await client.post("/v1/search/by-image", content=sent, headers=FORM)).status_code == 200
    assert index.requests[0].content == sent
    assert index.requests[0].headers["content-length"] == str(len(sent))
