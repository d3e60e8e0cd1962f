import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.text_classifier.app import create_app
from services.text_classifier.lanes import Lanes
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.model_folder import read_model_folder
from services.text_classifier.settings import TextClassifierSettings
from shared.labels import LABELS
from shared.schemas.text import MAX_IMPRESSION_CHARS, MAX_IMPRESSIONS, MAX_REQUEST_CHARS


@asynccontextmanager
async def client_of(classifier: TextClassifier, **settings: object) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(TextClassifierSettings(**settings), classifier)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://text") as client,
    ):
        yield client


@pytest.fixture
async def client(words: TextClassifier) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(words) as client:
        yield client


async def test_results_come_in_the_order_of_the_impressions(client: httpx.AsyncClient) -> None:
    texts = ["edema", "effusion. " * 40, "no pneumothorax"] * 5
    response = await client.post("/v1/classify", json={"impressions": texts})
    assert response.status_code == 200
    states = [[result["labels"][label]["state"] for label in LABELS] for result in response.json()["results"]]
    assert states[:3] * 5 == states
    assert states[0][LABELS.index("Edema")] == states[1][LABELS.index("Pleural Effusion")] == "present"
    assert states[2][LABELS.index("Pneumothorax")] == "absent"


async def test_an_answer_names_the_weights_that_gave_it(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/classify", json={"impressions": ["edema"]})).json()
    details = (await client.get("/v1/model")).json()
    assert answer["model"] == {name: details[name] for name in answer["model"]}
    assert details["labels"] == list(LABELS)
    assert set(details["thresholds"]) == set(LABELS)


async def test_evidence_comes_on_request(client: httpx.AsyncClient) -> None:
    body = {"impressions": ["  Mild edema.  "], "evidence": True}
    result = (await client.post("/v1/classify", json=body)).json()["results"][0]
    assert result["labels"]["Edema"]["evidence"] == [{"start": 2, "end": 12}]
    assert result["labels"]["Fracture"]["evidence"] is None


@pytest.mark.parametrize("before", ["\r\n\t ", "\u00a0", "\u2003\u200b", "\U0001fac1. ", "e\u0301. ", "İ. ", "ß ﬁ! "])
@pytest.mark.parametrize("escaped", [True, False])
async def test_offsets_are_code_points_of_the_text_as_sent(client: httpx.AsyncClient, before, escaped) -> None:
    text = f"{before}Mild edema. \U0001f600 HISTORY: x\r\nIMPRESSION: no effusion \n"
    body = json.dumps({"impressions": [text], "evidence": True}, ensure_ascii=escaped).encode()
    response = await client.post("/v1/classify", content=body, headers={"Content-Type": "application/json"})
    result = response.json()["results"][0]
    cited = {
        label: [text[span["start"] : span["end"]] for span in found["evidence"]]
        for label, found in result["labels"].items()
        if found["evidence"]
    }
    assert cited == {"Edema": ["Mild edema"], "Pleural Effusion": ["no effusion"]}
    sections = [text[section["start"] : section["end"]] for section in result["sections"]]
    assert sections == [text[: text.index(" HISTORY")].strip(), "HISTORY: x", "IMPRESSION: no effusion"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"impressions": []},
        {"impressions": [""]},
        {"impressions": ["   \n\t "]},
        {"impressions": ["\u200b\u200b"]},
        {"impressions": ["edema", "x" * (MAX_IMPRESSION_CHARS + 1)]},
        {"impressions": ["edema"] * (MAX_IMPRESSIONS + 1)},
        {"impressions": [17]},
        {"impressions": ["edema"], "evidense": True},
    ],
)
async def test_what_cannot_be_classified_is_a_422_that_does_not_repeat_it(client, body) -> None:
    response = await client.post("/v1/classify", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert "xxx" not in response.text
    assert "edema" not in response.text


async def test_the_longest_request_allowed_is_answered(client: httpx.AsyncClient) -> None:
    text = ("lungs clear. " * 2000)[:MAX_IMPRESSION_CHARS]
    response = await client.post("/v1/classify", json={"impressions": [text] * 2})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"impressions": ["edema"] * 53}, 200, None),
        ({"impressions": ["edema"] * 54}, 422, "162 tokens together; the model reads at most 160"),
        ({"impressions": ["heart " * 18]}, 200, None),
        ({"impressions": ["edema", "heart " * 19]}, 422, "Impression 2 has 21 tokens; the model reads at most 20"),
        ({"impressions": ["edema"] * 53, "evidence": True}, 200, None),  # though nothing is left to search it with
    ],
)
async def test_more_tokens_than_can_be_read_in_time_are_a_422_that_names_the_limit(words, body, status, detail) -> None:
    async with client_of(words, text_max_tokens=160) as client:
        response = await client.post("/v1/classify", json=body)
    assert response.status_code == status
    assert detail is None or detail in response.json()["detail"]


async def test_as_many_characters_of_plain_sentences_as_a_request_may_have_are_within_the_tokens(bundled) -> None:
    sentences = (
        "The heart is mildly enlarged. There is a small left pleural effusion with adjacent atelectasis. No "
        "pneumothorax or focal consolidation. Lines and tubes are unchanged in position. "
    )
    readings = [bundled.read((sentences * 200)[:MAX_IMPRESSION_CHARS])] * (MAX_REQUEST_CHARS // MAX_IMPRESSION_CHARS)
    most = TextClassifierSettings().text_max_tokens
    assert sum(reading.size for reading in readings) <= most
    assert readings[0].size <= most // 8


SPANISH = "Derrame pleural izquierdo de moderada cuantía."


async def test_a_text_in_another_language_is_answered_with_a_warning(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/classify", json={"impressions": ["edema", SPANISH, "no edema"]})
    results = response.json()["results"]
    warned = [[(warning["code"], warning["language"]) for warning in result["warnings"]] for result in results]
    assert warned == [[], [("not_english", "es")], []]


async def test_with_strict_language_it_is_refused_by_its_number_and_not_repeated(client, caplog) -> None:
    caplog.set_level("DEBUG")
    body = {"impressions": ["edema", SPANISH], "strict_language": True}
    response = await client.post("/v1/classify", json=body)
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert "Impression 2" in response.json()["detail"]
    assert "language: es" in response.json()["detail"]
    assert "Derrame" not in response.text + caplog.text
    assert (await client.post("/v1/classify", json={**body, "impressions": ["edema"]})).status_code == 200


async def test_a_text_of_which_nothing_is_read_is_answered_beside_others(client: httpx.AsyncClient) -> None:
    texts = ["edema", "HISTORY: edema.", "IMPRESSION:"]
    for evidence in (False, True):
        response = await client.post("/v1/classify", json={"impressions": texts, "evidence": evidence})
        results = response.json()["results"]
        assert [result["labels"]["Edema"]["state"] for result in results] == ["present"] + ["not_mentioned"] * 2
        assert [[section["read"] for section in result["sections"]] for result in results] == [[], [False], [True]]


async def test_a_short_report_goes_with_the_short_texts_though_it_has_two_windows(words: TextClassifier) -> None:
    reading = words.read("FINDINGS: edema.\nIMPRESSION: effusion.")
    assert len(reading.windows) == 2
    assert not Lanes(words, TextClassifierSettings())._is_slow(reading)
    assert Lanes(words, TextClassifierSettings())._is_slow(words.read("lungs clear. " * 11))


async def test_odd_characters_are_read_and_halves_of_characters_refused(client: httpx.AsyncClient) -> None:
    odd = "edema \0 \u202e \ufffe \U0001f600"
    assert (await client.post("/v1/classify", json={"impressions": [odd]})).status_code == 200
    half = b'{"impressions": ["edema \\ud83d"]}'
    response = await client.post("/v1/classify", content=half, headers={"Content-Type": "application/json"})
    assert (response.status_code, "surrogate" in response.json()["detail"]) == (422, True)


class GatedSession:
    """Answers once the gate is open."""

    cores = 1

    def __init__(self, session) -> None:
        self._session = session
        self.engine, self.device, self.weights_sha256 = session.engine, session.device, session.weights_sha256
        self.gate = threading.Event()

    def run(self, inputs, *, crowded=False):
        self.gate.wait(5)
        return self._session.run(inputs)


async def test_a_full_queue_is_a_429_with_retry_after_and_the_rest_is_answered(word_folder, word_session) -> None:
    session = GatedSession(word_session)
    classifier = TextClassifier(read_model_folder(word_folder), session)
    async with client_of(classifier, text_max_queue=2) as client:
        post = lambda: client.post("/v1/classify", json={"impressions": ["edema"]})  # noqa: E731
        first = asyncio.create_task(post())
        await asyncio.sleep(0.1)  # the model is at work on it
        waiting = [first, *(asyncio.create_task(post()) for _ in range(5))]
        await asyncio.sleep(0.2)
        session.gate.set()
        responses = await asyncio.gather(*waiting)
    statuses = [response.status_code for response in responses]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) == 3  # one at work, two that wait
    assert all(r.headers["Retry-After"] == "1" for r in responses if r.status_code == 429)


async def test_a_model_that_takes_too_long_is_a_504(word_folder, word_session) -> None:
    session = GatedSession(word_session)
    classifier = TextClassifier(read_model_folder(word_folder), session)
    async with client_of(classifier, request_timeout_s=0.1) as client:
        response = await client.post("/v1/classify", json={"impressions": ["edema"]})
        session.gate.set()
    assert response.status_code == 504
    assert response.json()["part"] == "text-classifier"


async def test_impressions_are_counted_for_prometheus(client: httpx.AsyncClient) -> None:
    await client.post("/v1/classify", json={"impressions": ["edema", "effusion"]})
    assert "chex_impressions_total 2.0" in (await client.get("/metrics")).text
    assert (await client.get("/readyz")).json()["status"] == "ready"


class SlowOnLongTexts:
    """Holds back runs with more than one sequence, which only long texts and evidence make when sent singly."""

    cores = 1

    def __init__(self, session, gate: threading.Event) -> None:
        self._session, self._gate = session, gate
        self.engine, self.device, self.weights_sha256 = session.engine, session.device, session.weights_sha256

    def run(self, inputs, *, crowded=False):
        if len(inputs["input_ids"]) > 1:
            self._gate.wait(5)
        return self._session.run(inputs)


async def test_a_short_impression_does_not_wait_behind_a_long_one(word_folder, word_session) -> None:
    gate = threading.Event()
    classifier = TextClassifier(read_model_folder(word_folder), SlowOnLongTexts(word_session, gate))
    async with client_of(classifier) as client:
        long = asyncio.create_task(client.post("/v1/classify", json={"impressions": ["lungs clear. " * 200]}))
        await asyncio.sleep(0.1)
        short = await client.post("/v1/classify", json={"impressions": ["edema"]})
        assert not long.done()
        gate.set()
        assert (await long).status_code == short.status_code == 200
