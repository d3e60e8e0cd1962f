"""No impression, image id or query string in logs, metrics, addresses or problems, whatever goes wrong."""

from itertools import product

import httpx
import pytest

from tests.gateway.fakes import FakeService, problem

SECRET = "zebra"
IMPRESSION = f"Edema in Jane {SECRET}"


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


NUMBER = f"A{SECRET}0042"
BY_NUMBER = {"text": IMPRESSION, "accession_number": NUMBER, "accession_issuer": SECRET}


def sent_to(service: FakeService) -> str:
    """All bodies that it has read to their ends."""
    return "".join(request.content.decode() for request in service.requests if hasattr(request, "_content"))


@pytest.fixture
def services(classifier, index) -> dict[str, FakeService]:
    return {"classifier": classifier, "index": index}


@pytest.mark.parametrize(("failing", "failure"), [*product(["classifier", "index"], FAILURES)])
async def test_report_and_its_accession_number_are_nowhere_but_in_the_bodies_sent_on(
    client, services, logged, failing, failure
):
    ways_in = [
        ("PUT", "/v1/studies/1.2/report", {"content": IMPRESSION, "headers": {"Content-Type": "text/plain"}}),
        ("PUT", "/v1/images/a/report", {"json": {"text": IMPRESSION}}),
        ("PUT", "/v1/images/b", {"files": {"file": b"pixels", "report": (None, IMPRESSION)}}),
        ("POST", "/v1/reports", {"json": BY_NUMBER}),
    ]
    answers = []
    for method, path, sent in ways_in:
        services[failing].script = list(FAILURES[failure])
        answers.append((await client.request(method, path, **sent)).text)
    metrics = (await client.get("/metrics")).text
    assert '"event": "request"' in logged.getvalue()
    for text in (logged.getvalue(), metrics, *answers):
        assert SECRET not in text
    for request in services["classifier"].requests + services["index"].requests:
        assert SECRET not in f"{request.url} {request.headers}"
    assert NUMBER not in sent_to(services["classifier"])
    assert IMPRESSION not in sent_to(services["index"])


@pytest.mark.parametrize(
    "sent",
    [
        {"json": BY_NUMBER | {"issued": IMPRESSION}},
        {"json": BY_NUMBER | {IMPRESSION: 1}},
        {"json": BY_NUMBER | {"accession_number": [SECRET]}},
        {"json": BY_NUMBER | {"accession_number": SECRET * 20}},
        {"json": BY_NUMBER | {"text": {"of": IMPRESSION}}},
        {"content": f'{{"text": "{IMPRESSION}', "headers": {"Content-Type": "application/json"}},
    ],
)
async def test_report_that_is_refused_is_not_repeated(client, logged, sent):
    response = await client.post("/v1/reports", **sent)
    assert response.status_code == 422
    assert SECRET not in response.text + logged.getvalue()


@pytest.mark.parametrize(
    ("part", "content_type"),
    [
        (f"Derrame en {SECRET}", "text/plain"),
        (IMPRESSION * 2000, "text/plain"),
        (f'{{"{IMPRESSION}": 1}}', "application/json"),
        (IMPRESSION, f"image/{SECRET}"),
    ],
)
async def test_report_in_a_form_that_is_refused_is_not_repeated(client, index, logged, part, content_type):
    files = {"file": ("a.png", b"pixels", "image/png"), "report": (f"{SECRET}.txt", part, content_type)}
    response = await client.put("/v1/images/a", files=files)
    assert response.status_code in {415, 422}
    assert SECRET not in response.text + logged.getvalue()
    assert "a" not in index.images


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
