import asyncio
import json
import time

import httpx
import pytest

from shared.labels import LABELS
from tests.gateway.fakes import gateway_over, problem

pytestmark = [pytest.mark.slow, pytest.mark.alone]


async def retrieve(client: httpx.AsyncClient, **body: object) -> dict:
    response = await client.post("/v1/retrieve", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_impression_becomes_labels_query_and_hits(client):
    answer = await retrieve(client, impression="Edema, no Pneumothorax", k=2)
    result = answer["results"][0]
    assert list(result["labels"]) == list(LABELS)
    assert result["labels"]["Pneumothorax"]["state"] == "absent"
    assert result["query"] == {"Edema": 1.0}
    assert [(hit["rank"], hit["image_id"]) for hit in result["hits"]] == [(1, "image-1"), (2, "image-2")]
    assert result["reason"] is None


@pytest.mark.parametrize("text", ["  \r\n Edema \n", "\u00a0\U0001fac1 e\u0301 Edema"])
async def test_an_impression_reaches_the_classifier_as_it_was_sent(client, classifier, text):
    await retrieve(client, impression=text)
    await client.post("/v1/classify", json={"impressions": [text]})
    assert [json.loads(request.content)["impressions"] for request in classifier.requests] == [[text], [text]]


async def test_answer_says_what_made_it(client):
    response = await client.post("/v1/retrieve", json={"impression": "Edema"}, headers={"X-Request-ID": "pacs-42"})
    answer = response.json()
    assert answer["request_id"] == response.headers["x-request-id"] == "pacs-42"
    assert answer["models"]["text"]["name"] == "FakeClassifier"
    assert answer["models"]["image"]["name"] == "FakeIndex"
    assert answer["index"]["size"] == 3
    timings = answer["timings_ms"]
    assert set(timings) == {"classify", "search", "total"}
    assert timings["classify"] + timings["search"] <= timings["total"] + 0.02


async def test_request_id_reaches_both_services(client, classifier, index):
    await client.post("/v1/retrieve", json={"impression": "Edema"}, headers={"X-Request-ID": "pacs-42"})
    assert [r.headers["x-request-id"] for r in classifier.requests + index.requests] == ["pacs-42", "pacs-42"]


@pytest.mark.parametrize(("weight", "query"), [(0, {"Edema": 1}), (0.3, {"Edema": 1, "Fracture": 0.3}), (1, None)])
async def test_uncertain_finding_counts_by_its_weight(client, index, weight, query):
    answer = await retrieve(client, impression="Edema and maybe Fracture", uncertain_weight=weight)
    expected = query or {"Edema": 1, "Fracture": 1}
    assert answer["results"][0]["query"] == expected
    assert json.loads(index.requests[0].content)["labels"] == expected


async def test_uncertain_finding_counts_half_by_default(client):
    assert (await retrieve(client, impression="maybe Fracture"))["results"][0]["query"] == {"Fracture": 0.5}


@pytest.mark.parametrize("body", [{"impression": "no Edema"}, {"impression": "maybe Edema", "uncertain_weight": 0}])
async def test_impression_without_positive_finding_has_labels_no_hits_and_the_reason(client, body):
    result = (await retrieve(client, **body))["results"][0]
    assert result["hits"] == []
    assert result["query"] == {}
    assert "no positive finding" in result["reason"]
    assert len(result["labels"]) == 14


async def test_what_states_nothing_is_told_from_what_denies_all(client):
    denial, nothing = (await retrieve(client, impressions=["no Edema", "See above."]))["results"]
    assert "no positive finding" in denial["reason"]
    assert denial["warnings"] == []
    assert "states none of the 14 observations" in nothing["reason"]
    assert [warning["code"] for warning in nothing["warnings"]] == ["nothing_stated"]


async def test_an_impression_in_another_language_is_answered_with_a_warning_that_names_it(client):
    results = (await retrieve(client, impressions=["Edema", "Derrame pleural", "Derrame, Edema"]))["results"]
    codes = [[warning["code"] for warning in result["warnings"]] for result in results]
    assert codes == [[], ["not_english", "nothing_stated"], ["not_english"]]
    assert results[1]["warnings"][0]["language"] == "es"
    assert "not to be in English (language: es)" in results[1]["reason"]
    assert results[2]["reason"] is None
    assert results[2]["hits"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/retrieve", {"impression": "Derrame pleural"}),
        ("/v1/retrieve", {"impressions": ["Derrame pleural", "Edema"]}),
        ("/v1/classify", {"impressions": ["Derrame pleural", "Edema"]}),
    ],
)
async def test_strict_language_refuses_what_is_not_english_and_says_which(client, index, path, body):
    response = await client.post(path, json={**body, "strict_language": True})
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert "Impression 1" in response.json()["detail"]
    assert "es" in response.json()["detail"]
    assert "Derrame" not in response.text
    assert index.requests == []
    assert (await client.post(path, json=body)).status_code == 200


async def test_strict_language_lets_english_through(client):
    assert (await retrieve(client, impression="Edema", strict_language=True))["results"][0]["hits"]


async def test_sections_of_a_report_come_with_its_labels(client, classifier):
    read = {"name": "findings", "start": 11, "end": 27, "read": True}
    context = {"name": "history", "start": 0, "end": 10, "read": False}
    answer = {"results": [classifier.result("Edema") | {"sections": [context, read]}], "model": classifier.model()}
    classifier.script = [httpx.Response(200, json=answer)]
    result = (await retrieve(client, impression="Edema"))["results"][0]
    assert result["sections"] == [context, read]
    assert (await retrieve(client, impression="Edema"))["results"][0]["sections"] == []


async def test_the_reason_says_so_where_a_text_is_context_alone(client, classifier):
    context = {"name": "history", "start": 0, "end": 10, "read": False}
    answer = {"results": [classifier.result("") | {"sections": [context]}], "model": classifier.model()}
    classifier.script = [httpx.Response(200, json=answer)]
    result = (await retrieve(client, impression="HISTORY: x"))["results"][0]
    assert result["hits"] == []
    assert "nothing of it was read" in result["reason"]


async def test_no_finding_is_searched_for_where_it_is_present(client):
    result = (await retrieve(client, impression="No Finding"))["results"][0]
    assert result["query"] == {"No Finding": 1.0}
    assert result["hits"]


async def test_search_options_reach_the_index(client, index):
    options = {"k": 7, "ranking": "cosine", "binarize": True, "min_score": 0.2, "filters": {"age_min": 18}}
    await retrieve(client, impression="Edema", **options)
    sent = json.loads(index.requests[0].content)
    assert {name: sent[name] for name in options if name != "filters"} == {
        name: value for name, value in options.items() if name != "filters"
    }
    assert sent["filters"]["age_min"] == 18


async def test_evidence_is_asked_for_only_on_request(client, classifier):
    await retrieve(client, impression="Edema")
    await retrieve(client, impression="Edema", evidence=True)
    assert [json.loads(request.content)["evidence"] for request in classifier.requests] == [False, True]


async def test_several_impressions_take_one_classification_and_keep_their_order(client, classifier, index):
    delays = iter((0.05, 0.03, 0.01))

    async def slow_first(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(next(delays))
        return index.answer(request)

    index.script = [slow_first] * 3
    labels = ["Edema", "Fracture", "Pneumonia"]
    answer = await retrieve(client, impressions=labels)
    assert [list(result["query"]) for result in answer["results"]] == [[label] for label in labels]
    assert len(classifier.requests) == 1
    assert len(index.requests) == 3


async def test_searches_run_together_but_at_most_eight(client, index):
    running = most = 0

    async def counted(request: httpx.Request) -> httpx.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return index.answer(request)

    index.script = [counted] * 20
    await retrieve(client, impressions=["Edema"] * 20)
    assert most == 8


async def test_a_batch_reports_the_oldest_index_generation_it_searched(client, index):
    def moving(request: httpx.Request) -> httpx.Response:
        index.generation += 1
        return index.answer(request)

    index.script = [moving] * 3
    assert (await retrieve(client, impressions=["Edema"] * 3))["index"]["generation"] == 1


async def test_first_failing_search_fails_the_batch_and_ends_the_others(client, index):
    ended = []

    async def never(_request: httpx.Request) -> httpx.Response:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)
        raise AssertionError

    index.script = [never, problem(500, "internal-error"), never]
    response = await client.post("/v1/retrieve", json={"impressions": ["Edema"] * 3})
    assert (response.status_code, response.json()["part"]) == (502, "image-index")
    await asyncio.sleep(0)
    assert ended == [True, True]


async def test_time_that_classifying_took_is_gone_for_searching(classifier, index):
    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.7)
        return classifier.answer(request)

    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    classifier.script, index.script = [slow], [hang]
    app = gateway_over(classifier, index, request_timeout_s=1)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        started = time.monotonic()
        response = await client.post("/v1/retrieve", json={"impression": "Edema"})
        assert time.monotonic() - started < 1.5  # not 0.7 s and then a second more
    assert (response.status_code, response.json()["part"]) == (504, "image-index")


@pytest.mark.parametrize("part", ["text-classifier", "image-index"])
async def test_service_that_is_down_is_named_with_when_to_try_again(client, classifier, index, part):
    service = {"text-classifier": classifier, "image-index": index}[part]
    service.script = [httpx.ConnectError("refused")] * 2
    response = await client.post("/v1/retrieve", json={"impression": "Edema"})
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "2"
    assert response.json()["part"] == part
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_overload_of_a_service_is_the_answer(client, classifier):
    classifier.script = [problem(429, "overloaded", "The queue is full.", headers={"Retry-After": "3"})]
    response = await client.post("/v1/retrieve", json={"impression": "Edema"})
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    assert response.json()["detail"] == "The queue is full."
    assert response.json()["part"] == "text-classifier"
    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"impression": ""},
        {"impression": "  \n"},
        {"impression": "x" * 20_001},
        {"impressions": []},
        {"impressions": ["Edema"] * 65},
        {"impression": "Edema", "impressions": ["Edema"]},
        {"impression": "Edema", "k": 0},
        {"impression": "Edema", "ranking": "best"},
        {"impression": "Edema", "uncertain_weight": 1.5},
        {"impression": "Edema", "filters": {"sex": "F"}},
        {"impression": "Edema", "unknown": 1},
        {"impression": "Edema", "k": True},
        {"impression": "Edema", "evidence": "yes"},
    ],
)
async def test_request_that_is_not_valid_reaches_no_service(client, classifier, index, body):
    response = await client.post("/v1/retrieve", json=body)
    assert response.status_code == 422
    assert response.json()["errors"]
    assert classifier.requests == index.requests == []


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        ("/v1/retrieve", {"impressions": ["x" * 20_000] * 10 + ["x"]}, "200,000"),
        ("/v1/classify", {"impressions": ["x" * 20_000] * 10 + ["x"]}, "200,000"),
        ("/v1/retrieve", {"impressions": ["Edema"] * 3, "k": 667}, "2,000"),
        (
            "/v1/retrieve",
            {"impressions": ["Edema"] * 5, "filters": {"excluded_image_ids": [f"i{n}" for n in range(8_001)]}},
            "40,000",
        ),
    ],
)
async def test_more_than_one_request_can_do_is_a_422_that_names_the_limit(client, classifier, path, body, limit):
    response = await client.post(path, json=body)
    assert response.status_code == 422
    assert limit in response.json()["errors"][0]["message"]
    assert classifier.requests == []


async def test_as_much_as_one_request_can_do_is_done(client):
    assert (await client.post("/v1/retrieve", json={"impressions": ["Edema"] * 2, "k": 1000})).status_code == 200
    assert (await client.post("/v1/classify", json={"impressions": ["x" * 20_000] * 10})).status_code == 200


async def test_classify_answers_as_the_classifier_does(client):
    response = await client.post("/v1/classify", json={"impressions": ["Edema", "maybe Edema"]})
    answer = response.json()
    assert [result["labels"]["Edema"]["state"] for result in answer["results"]] == ["present", "uncertain"]
    assert answer["model"]["name"] == "FakeClassifier"
    assert answer["results"][1]["labels"]["Edema"]["state_probabilities"] == {
        "present": 0.1,
        "uncertain": 0.9,
        "absent": 0.0,
        "not_mentioned": 0.0,
    }
    spanish = (await client.post("/v1/classify", json={"impressions": ["Edema", "Derrame"]})).json()["results"]
    assert spanish[0]["warnings"] == []
    assert spanish[1]["warnings"][0] == {"code": "not_english", "language": "es", "message": "Only English is read."}


async def test_search_takes_names_and_weights(client, index):
    for labels in (["Edema"], {"Edema": 0.5}):
        response = await client.post("/v1/search", json={"labels": labels, "k": 1})
        assert [hit["links"]["image"] for hit in response.json()["result"]["hits"]] == ["/v1/images/image-1"]
        assert json.loads(index.requests[-1].content)["labels"] == labels
    assert response.json()["models"]["text"] is None


async def test_search_by_image_sends_image_and_options_on(client, index):
    response = await client.post(
        "/v1/search/by-image?k=2&ranking=cosine", content=b"pixels", headers={"Content-Type": "image/png"}
    )
    answer = response.json()
    assert len(answer["result"]["hits"]) == 2
    assert set(answer["probabilities"]) == set(LABELS)
    assert (answer["chest_score"], answer["looks_turned"]) == (0.75, 90)
    sent = index.requests[0]
    assert (sent.content, sent.headers["content-type"]) == (b"pixels", "image/png")
    assert dict(sent.url.params) == {"k": "2", "ranking": "cosine"}


async def test_search_by_image_takes_every_option_but_filters_in_its_query(client, index):
    options = {
        "k": "2",
        "group_by": "patient",
        "diversity": "0.5",
        "min_overlap": "0.1",
        "offset": "1",
        "generation": "3",
    }
    response = await client.post(
        "/v1/search/by-image", params=options, content=b"x", headers={"Content-Type": "image/png"}
    )
    assert response.status_code == 200, response.text
    assert dict(index.requests[0].url.params) == options


async def test_search_by_what_is_no_chest_is_refused_unless_any_picture_is_accepted(client):
    refused = await client.post("/v1/search/by-image", content=b"a cat", headers={"Content-Type": "image/png"})
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:chexretriever:not-a-chest-radiograph"
    taken = await client.post("/v1/search/by-image?accept_any=true", content=b"a cat")
    assert taken.status_code == 200


async def test_models_and_index_are_described(client, index):
    models = (await client.get("/v1/models")).json()
    assert {part: details["name"] for part, details in models.items()} == {
        "text": "FakeClassifier",
        "image": "FakeIndex",
    }
    assert models["text"]["labels"] == list(LABELS)
    described = (await client.get("/v1/index")).json()
    assert (described["engine"], described["reports"]["images"], described["fit"]) == ("fake", 0, None)
    index.fit = {"images": 900, "patients": 700, "made": "2026-03-01T09:30:00Z", "silent": ["Fracture"]}
    assert (await client.get("/v1/index")).json()["fit"] == index.fit


async def test_readiness_asks_both_services_at_once_and_names_the_one_that_is_down(client, classifier, index):
    assert (await client.get("/readyz")).json()["status"] == "ready"
    classifier.script = [httpx.ConnectError("refused")]
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert {check["part"]: check["ready"] for check in response.json()["checks"]} == {
        "text-classifier": False,
        "image-index": True,
        "audit": True,
    }


async def test_readiness_waits_for_both_services_at_the_same_time(classifier, index):
    events = []

    async def hang(_request: httpx.Request) -> httpx.Response:
        events.append("asked")
        try:
            await asyncio.sleep(60)
        finally:
            events.append("given up")
        raise AssertionError

    classifier.script, index.script = [hang], [hang]
    app = gateway_over(classifier, index, readiness_timeout_s=0.2)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        response = await client.get("/readyz")
    assert [check["ready"] for check in response.json()["checks"]] == [False, False, True]
    assert events == ["asked", "asked", "given up", "given up"]


async def test_front_page_leads_to_the_openapi_page(client):
    response = await client.get("/", follow_redirects=True)
    assert response.status_code == 200
    assert "swagger" in response.text


async def test_every_ranking_says_what_became_of_those_to_be_left_out(client, index):
    index.excluded = {"asked": 2, "matched": 1, "unmatched": {"excluded_patient_ids": 1}}
    filters = {"excluded_patient_ids": ["20564", "1"]}
    (retrieved,) = (await retrieve(client, impression="Edema", filters=filters))["results"]
    searched = (await client.post("/v1/search", json={"labels": ["Edema"], "filters": filters})).json()["result"]
    form = {"file": ("x.png", b"x", "image/png"), "options": (None, json.dumps({"filters": filters}))}
    by_image = (await client.post("/v1/search/by-image", files=form)).json()["result"]
    assert retrieved["excluded"] == searched["excluded"] == by_image["excluded"] == index.excluded
    index.excluded = None
    assert (await retrieve(client, impression="Edema"))["results"][0]["excluded"] is None


async def test_readiness_stays_while_the_index_takes_no_writes_and_says_so(client, index):
    checks = [{"part": "index-store", "ready": True, "writes": False, "detail": "The disk is full."}]
    index.script = [httpx.Response(200, json={"status": "ready", "writes": False, "checks": checks})]
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["writes"]) == (200, False)
    assert response.json()["checks"][1]["detail"] == "index-store: The disk is full."
