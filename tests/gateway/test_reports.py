"""Reports: their text goes to the classifier, their labels to the index, and what goes wrong says where it did."""

import asyncio
import json

import httpx
import pytest

from gateway.routes.report_texts import MAX_REPORT_BYTES
from shared.labels import LABELS
from tests.gateway.fakes import WEIGHTS, problem

STUDY = "/v1/studies/1.2.3/report"
IMAGE = "/v1/images/image-1/report"
TEXT = {"Content-Type": "text/plain"}
ISSUED = "2026-03-01T09:30:00Z"
BY_NUMBER = {"text": "Edema.", "accession_number": "A0042", "accession_issuer": "Hospital A"}


@pytest.mark.parametrize(("path", "of"), [(STUDY, "studies/1.2.3"), (IMAGE, "images/image-1")])
async def test_text_becomes_labels_and_goes_no_further(client, classifier, index, path, of):
    response = await client.put(path, content="Edema, no Fracture, maybe Pneumonia.", headers=TEXT)
    assert (response.status_code, response.json()["outcome"]) == (201, "waiting")
    assert json.loads(classifier.requests[0].content)["impressions"] == ["Edema, no Fracture, maybe Pneumonia."]
    (sent,) = index.requests
    assert (sent.method, sent.url.path) == ("PUT", path)
    labels = json.loads(sent.content)
    assert set(labels) == {"states", "probabilities", "text_model_sha256"}
    stated = {label: state for label, state in labels["states"].items() if state != "not_mentioned"}
    assert stated == {"Edema": "present", "Fracture": "absent", "Pneumonia": "uncertain"}
    assert set(labels["probabilities"]) == set(LABELS)
    assert labels["text_model_sha256"] == response.json()["text_model_sha256"] == WEIGHTS
    assert index.reports[of] == labels


async def test_json_says_when_the_report_was_issued(client, index):
    sent = {"text": "Edema.", "issued": "2026-03-01T10:30:00+01:00"}
    assert (await client.put(STUDY, json=sent)).status_code == 201
    assert index.reports["studies/1.2.3"]["issued"] in {"2026-03-01T10:30:00+01:00", ISSUED}


async def test_a_report_in_place_of_another_is_a_200_and_replace_is_passed_on(client, index):
    await client.put(STUDY, content="Edema.", headers=TEXT)
    response = await client.put(f"{STUDY}?replace=true", content="Fracture.", headers=TEXT)
    assert (response.status_code, response.json()["outcome"]) == (200, "replaced")
    assert [dict(request.url.params) for request in index.requests] == [{"replace": "false"}, {"replace": "true"}]


async def test_an_accession_number_goes_in_the_body_and_in_no_address(client, classifier, index):
    response = await client.post("/v1/reports?replace=true", json=BY_NUMBER | {"issued": ISSUED})
    assert response.status_code == 201
    assert index.requests[0].url.query == b"replace=true"
    labels = index.reports["reports"]
    assert (labels["accession_number"], labels["accession_issuer"], labels["issued"]) == ("A0042", "Hospital A", ISSUED)
    assert "A0042" not in str(index.requests[0].url) + response.text
    assert b"A0042" not in classifier.requests[0].content


async def test_number_that_several_studies_have_is_a_409(client, index):
    index.script = [problem(409, "conflict", "Several studies have this accession number.")]
    response = await client.post("/v1/reports", json=BY_NUMBER)
    assert (response.status_code, response.json()["type"]) == (409, "urn:chexretriever:conflict")


@pytest.mark.parametrize(("path", "of"), [(STUDY, "study"), (IMAGE, "image")])
async def test_report_can_be_read_as_labels_and_forgotten(client, path, of):
    assert (await client.get(path)).status_code == 404
    await client.put(path, content="Edema.", headers=TEXT)
    read = (await client.get(path)).json()
    assert (read["states"]["Edema"], read["of"], read["text_model_sha256"]) == ("present", of, WEIGHTS)
    for _ in range(2):
        assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "application/fhir+json", "text/plain; charset=latin-1", "text/plain; charset=utf-16", "", "text"],
)
async def test_other_type_of_body_is_a_415_and_is_read_by_nobody(client, classifier, content_type):
    response = await client.put(STUDY, content=b"Edema.", headers={"Content-Type": content_type})
    assert response.status_code == 415
    assert "text/plain" in response.json()["detail"]
    assert classifier.requests == []


async def test_packed_body_is_a_415(client):
    assert (await client.put(STUDY, content=b"x", headers=TEXT | {"Content-Encoding": "gzip"})).status_code == 415


@pytest.mark.parametrize("content_type", ["text/plain; charset=UTF-8", 'text/plain;charset="utf-8"', "TEXT/plain"])
async def test_text_is_read_as_utf_8_with_or_without_a_byte_order_mark(client, classifier, content_type):
    body = "\N{BYTE ORDER MARK}{Edema} \N{RIGHTWARDS ARROW} worse."
    response = await client.put(STUDY, content=body.encode(), headers={"Content-Type": content_type})
    assert response.status_code == 201
    assert json.loads(classifier.requests[0].content)["impressions"] == [body[1:]]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "text/plain"),
        (b"  \n", "text/plain"),
        (b"\xff\xfe", "text/plain"),
        ("Edema.".encode("utf-16-le"), "text/plain"),
        (b'\n{"text": "Edema.", "issued": "2026-03-01T09:30:00Z"}', "text/plain"),
        (b"x" * 20_001, "text/plain"),
        (b"Edema.", "application/json"),
        (b'{"text": ""}', "application/json"),
        (b'{"text": "Edema.", "issued": "2026-03-01T09:30:00"}', "application/json"),
        (b'{"text": "Edema.", "issued": "2996-03-01T09:30:00Z"}', "application/json"),
        (b'{"text": "Edema.", "issued": "0001-01-01T00:00:00+14:00"}', "application/json"),
        (b'{"text": "Edema.", "issued": 5}', "application/json"),
        (b'{"text": "Edema.", "accession_number": "A1"}', "application/json"),
    ],
)
async def test_report_that_cannot_be_read_is_a_422_and_reaches_no_service(client, classifier, content, content_type):
    response = await client.put(STUDY, content=content, headers={"Content-Type": content_type})
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert classifier.requests == []


async def test_longest_text_may_be_written_in_escapes_and_what_is_longer_is_a_413(client, classifier):
    longest = "Edema \N{FACE WITH MEDICAL MASK}".ljust(20_000, "\N{FACE WITH MEDICAL MASK}")
    assert (await client.put(IMAGE, json={"text": longest})).status_code == 201
    escaped = json.dumps({"text": longest}).encode()
    headers = {"Content-Type": "application/json"}
    assert (await client.put(STUDY, content=escaped, headers=headers)).status_code == 201

    async def unannounced():
        yield b"x" * MAX_REPORT_BYTES
        yield b"x"

    for too_long in (b"x" * (MAX_REPORT_BYTES + 1), unannounced()):
        assert (await client.put(STUDY, content=too_long, headers=TEXT)).status_code == 413
    assert len(classifier.requests) == 2


@pytest.mark.parametrize("path", ["/v1/studies/a.b/report", "/v1/studies/1..2/report", "/v1/images/.a/report"])
async def test_report_of_what_cannot_be_is_a_422(client, classifier, path):
    assert (await client.put(path, content="Edema.", headers=TEXT)).status_code == 422
    assert classifier.requests == []


async def test_text_in_another_language_is_no_evidence(client, index):
    answers = [
        await client.put(STUDY, content="Derrame pleural.", headers=TEXT),
        await client.post("/v1/reports", json=BY_NUMBER | {"text": "Derrame pleural."}),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert "language: es" in answer.json()["detail"]
        assert "Derrame" not in answer.text
    assert index.requests == []


async def test_text_of_which_nothing_was_read_is_no_evidence(client, classifier, index):
    read = classifier.result("nothing") | {"sections": [{"name": "history", "start": 0, "end": 5, "read": False}]}
    classifier.script = [httpx.Response(200, json={"results": [read], "model": classifier.model()})]
    response = await client.put(STUDY, content="HISTORY: CHF.", headers=TEXT)
    assert response.status_code == 422, response.text
    assert "no section" in response.json()["detail"]
    assert index.requests == []


REFUSALS = {
    "away": (httpx.ConnectError("x"), 503),
    "overloaded": (problem(429, "overloaded", headers={"Retry-After": "1"}), 429),
    "nonsense": (httpx.Response(200, json={}), 502),
    "late": (problem(504, "deadline-exceeded"), 504),
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("part", ["text-classifier", "image-index"])
async def test_part_that_fails_is_named_and_without_labels_nothing_is_asked_of_the_index(
    client, classifier, index, refusal, part
):
    said, status = REFUSALS[refusal]
    failing = classifier if part == "text-classifier" else index
    failing.script = [said, said]
    response = await client.put(STUDY, content="Edema.", headers=TEXT)
    assert (response.status_code, response.json()["part"]) == (status, part)
    assert ("retry-after" in response.headers) == (status in {429, 503})
    assert index.reports == {}
    if part == "text-classifier":
        assert index.requests == []


class TestWithin:
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"request_timeout_s": 0.4}

    async def test_both_calls_share_one_deadline(self, client, classifier, index):
        """Neither takes too long, but both together do."""

        async def slow(request: httpx.Request) -> httpx.Response:
            await request.aread()
            await asyncio.sleep(0.25)
            return (classifier if "classify" in request.url.path else index).answer(request)

        classifier.script, index.script = [slow], [slow]
        response = await client.put(STUDY, content="Edema.", headers=TEXT)
        assert (response.status_code, response.json()["part"]) == (504, "image-index")
        left = [int(asked.requests[0].headers["X-Request-Deadline"]) for asked in (classifier, index)]
        assert left[1] < left[0] - 200


async def test_put_whose_answer_is_lost_is_sent_again(client, index):
    def lose_the_answer(request: httpx.Request) -> httpx.Response:
        index.answer(request)
        raise httpx.ReadError("lost")

    index.script = [lose_the_answer]
    assert (await client.put(STUDY, content="Edema.", headers=TEXT)).status_code == 200
    assert len(index.requests) == 2
