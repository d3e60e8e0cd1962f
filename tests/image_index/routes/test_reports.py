"""Reports over HTTP: labels in, evidence kept, and never a word or a number that could name anybody."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset

from services.image_index.app import create_app
from services.image_index.encoding.encoder import Encoder
from services.image_index.settings import ImageIndexSettings
from shared.labels import LABELS
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

EDEMA = png_bytes(picture_of("Edema"))
FRACTURE = png_bytes(picture_of("Fracture"))
TEXT_MODEL = "b" * 64
STUDY = "1.2.3"


def labels(*present: str, issued: str | None = None, **more: object) -> dict[str, Any]:
    said = {
        "states": {name: "present" if name in present else "not_mentioned" for name in LABELS},
        "probabilities": {name: 0.98 if name in present else 0.01 for name in LABELS},
        "text_model_sha256": TEXT_MODEL,
    }
    return said | ({"issued": issued} if issued else {}) | more


def form(data: bytes, *, metadata: object = None, report: object = None) -> dict[str, Any]:
    parts: dict[str, Any] = {"file": ("x", data, "application/octet-stream")}
    for name, part in (("metadata", metadata), ("report", report)):
        if part is not None:
            parts[name] = (None, json.dumps(part), "application/json")
    return parts


async def put_image(client: httpx.AsyncClient, image_id: str, data: bytes = EDEMA, **parts: object) -> httpx.Response:
    return await client.put(f"/v1/images/{image_id}", files=form(data, **parts))


async def test_a_study_s_report_counts_for_its_images_those_to_come_too(client: httpx.AsyncClient) -> None:
    report = f"/v1/studies/{STUDY}/report"
    first = await client.put(report, json=labels("Edema", issued="2026-03-01T09:30:00+01:00"))
    again = await client.put(report, json=labels("Edema", issued="2026-03-01T09:30:00+01:00"))
    await put_image(client, "a", metadata={"study_instance_uid": STUDY})
    later = await client.put(report, json=labels("Fracture", issued="2026-03-02T09:30:00Z"))
    earlier = await client.put(report, json=labels("Edema", issued="2026-03-01T09:30:00Z"))

    outcomes = [(answer.status_code, answer.json()["outcome"]) for answer in (first, again, later, earlier)]
    assert outcomes == [(201, "waiting"), (200, "unchanged"), (200, "replaced"), (200, "outdated")]
    assert [answer.json()["images"] for answer in (first, again, later, earlier)] == [0, 0, 1, 1]
    assert first.json()["states"]["Edema"] == "present"
    assert first.json()["probabilities"]["Edema"] == 0.98
    known = (await client.get("/v1/images/a")).json()["report"]
    assert known["states"]["Fracture"] == "present"
    assert (known["of"], known["issued"], known["text_model_sha256"]) == ("study", "2026-03-02T09:30:00Z", TEXT_MODEL)
    assert known["probabilities"]["Fracture"] > 0.5 > known["probabilities"]["Edema"]
    for path in (report, "/v1/images/a/report"):
        assert (await client.get(path)).json() == known


async def test_an_image_s_own_report_counts_before_its_study_s_of_the_same_time(client: httpx.AsyncClient) -> None:
    issued = "2026-03-01T09:30:00Z"
    await put_image(client, "a", metadata={"study_instance_uid": STUDY}, report=labels("Edema", issued=issued))
    of_study = await client.put(f"/v1/studies/{STUDY}/report", json=labels("Fracture", issued=issued))

    assert (of_study.json()["outcome"], of_study.json()["images"]) == ("stored", 0)
    assert (await client.get("/v1/images/a/report")).json()["of"] == "image"
    assert (await client.delete("/v1/images/a/report")).status_code == 204
    assert (await client.get("/v1/images/a/report")).json()["of"] == "study"


async def test_a_report_that_was_removed_comes_back_by_a_later_one_or_on_request(client: httpx.AsyncClient) -> None:
    await put_image(client, "a", report=labels("Edema"))
    path = "/v1/images/a/report"
    deleted = [await client.delete(path) for _ in range(2)]
    missing = await client.get(path)
    late = [await client.put(path, json=labels("Edema", issued=issued)) for issued in (None, "2026-01-01T00:00:00Z")]
    with_image = await put_image(client, "a", report=labels("Edema"))
    assert [(answer.status_code, answer.content) for answer in deleted] == [(204, b"")] * 2
    assert missing.status_code == 404
    assert "no report of this image" in missing.json()["detail"]
    for refused in (*late, with_image):
        assert refused.status_code == 409
        assert "replace=true" in refused.json()["detail"]
        assert "issued" in refused.json()["detail"]
    assert (await client.get("/v1/images/a")).json()["report"] is None

    tomorrow = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert (await client.put(path, json=labels("Edema", issued=tomorrow))).status_code == 201
    await client.delete(path)
    assert (await client.put(f"{path}?replace=true", json=labels("Edema"))).status_code == 201


async def test_an_image_comes_with_its_report_in_one_step_and_brings_another_one_later(
    client: httpx.AsyncClient,
) -> None:
    created = await put_image(client, "a", report=labels("Edema", issued="2026-03-01T00:00:00Z"))
    same = await put_image(client, "a", report=labels("Edema", issued="2026-03-01T00:00:00Z"))
    generation = (await client.get("/v1/index")).json()["generation"]
    corrected = await put_image(client, "a", report=labels("Fracture", issued="2026-03-02T00:00:00Z"))
    outdated = await put_image(client, "a", report=labels("Edema", issued="2026-03-01T00:00:00Z"))
    replaced = await client.put(
        "/v1/images/a?replace=true", files=form(FRACTURE, report=labels("Edema", issued="2026-03-01T00:00:00Z"))
    )

    assert (created.status_code, created.json()["report"]["states"]["Edema"]) == (201, "present")
    assert (same.status_code, same.json()) == (200, created.json())
    assert created.json()["generation"] == generation
    assert (corrected.status_code, corrected.json()["report"]["states"]["Fracture"]) == (200, "present")
    assert outdated.json() == corrected.json()
    assert replaced.json()["report"]["states"]["Edema"] == "present"
    plain = await client.put("/v1/images/a?replace=true", content=EDEMA)
    assert plain.json()["report"]["issued"] == "2026-03-01T00:00:00Z"  # other content keeps its report


async def test_a_report_with_an_image_that_is_refused_is_not_kept(client: httpx.AsyncClient) -> None:
    await put_image(client, "a")
    refused = await put_image(client, "a", FRACTURE, report=labels("Fracture"))
    damaged = await put_image(client, "b", EDEMA[:-30], report=labels("Fracture"))

    assert (refused.status_code, damaged.status_code) == (409, 422)
    for path in ("/v1/images/a/report", "/v1/images/b/report"):
        assert (await client.get(path)).status_code == 404


def with_accession(number: str, issuer: str | None = None, **elements: object) -> bytes:
    dataset = made_dicom(AccessionNumber=number, **elements)
    if issuer:
        item = Dataset()
        item.LocalNamespaceEntityID = issuer
        dataset.IssuerOfAccessionNumberSequence = [item]
    return to_bytes(dataset)


async def test_a_report_finds_its_study_by_the_accession_number_before_and_after_the_images(
    client: httpx.AsyncClient,
) -> None:
    by_number = labels("Edema", issued="2026-03-01T00:00:00Z", accession_number=" ACC-77 ")
    early = await client.post("/v1/reports", json=by_number)
    stored = (await client.put("/v1/images/d", content=with_accession("ACC-77"))).json()
    late = await client.post(
        "/v1/reports", json=labels("Fracture", issued="2026-03-02T00:00:00Z", accession_number="ACC-77")
    )
    study = await client.get(f"/v1/studies/{stored['metadata']['study_instance_uid']}/report")

    assert (early.status_code, early.json()["outcome"]) == (201, "waiting")
    assert stored["report"]["states"]["Edema"] == "present"
    assert (late.status_code, late.json()["outcome"], late.json()["images"]) == (200, "replaced", 1)
    assert study.json()["states"]["Fracture"] == "present"
    assert stored["metadata"]["accession_key"]
    assert "ACC-77" not in json.dumps(stored)


async def test_an_accession_number_of_two_studies_is_409_unless_its_issuer_tells_them_apart(
    client: httpx.AsyncClient,
) -> None:
    for name, issuer, study in (("a", "NORTH", "1.2.1"), ("b", "SOUTH", "1.2.2")):
        data = with_accession("ACC-77", issuer, StudyInstanceUID=study)
        assert (await client.put(f"/v1/images/{name}", content=data)).status_code == 201
    ambiguous = await client.post("/v1/reports", json=labels("Edema", accession_number="ACC-77"))
    told = await client.post("/v1/reports", json=labels("Edema", accession_number="ACC-77", accession_issuer="SOUTH"))
    unknown = await client.post("/v1/reports", json=labels("Edema", accession_number="ACC-77", accession_issuer="WEST"))

    assert ambiguous.status_code == 409
    assert "accession_issuer" in ambiguous.json()["detail"]
    assert "ACC-77" not in ambiguous.text
    assert (told.json()["outcome"], told.json()["images"]) == ("stored", 1)
    assert unknown.json()["outcome"] == "waiting"
    assert (await client.get("/v1/studies/1.2.1/report")).status_code == 404
    assert (await client.get("/v1/studies/1.2.2/report")).status_code == 200


async def test_a_number_of_several_images_without_a_study_is_409_that_says_so(client: httpx.AsyncClient) -> None:
    for name in "ab":
        picture = png_bytes(picture_of("Edema"), name)
        await put_image(client, name, picture, metadata={"accession_number": "ACC-77"})
    ambiguous = await client.post("/v1/reports", json=labels("Edema", accession_number="ACC-77"))

    assert ambiguous.status_code == 409
    assert "of no study" in ambiguous.json()["detail"]


async def test_a_png_s_accession_number_is_hashed_as_a_file_s(client: httpx.AsyncClient) -> None:
    png = await put_image(client, "a", metadata={"accession_number": "ACC-77", "accession_issuer": "NORTH"})
    dicom = await client.put("/v1/images/d", content=with_accession("ACC-77", "NORTH"))
    again = await put_image(client, "a", metadata={"accession_number": "ACC-77", "accession_issuer": "NORTH"})
    other = await put_image(client, "a", metadata={"accession_number": "ACC-78"})

    assert png.json()["metadata"]["accession_key"] == dicom.json()["metadata"]["accession_key"]
    assert "." in png.json()["metadata"]["accession_key"]
    assert (again.status_code, other.status_code) == (200, 409)


async def test_the_index_counts_what_is_known_by_reports_and_a_search_does_not(client: httpx.AsyncClient) -> None:
    await put_image(client, "a", report=labels("Edema"))
    await put_image(client, "b", FRACTURE, report=labels("Fracture") | {"text_model_sha256": "c" * 64})
    await put_image(client, "plain", png_bytes(picture_of("Pneumonia")))
    await client.put("/v1/studies/9.9/report", json=labels("Edema"))
    counts = (await client.get("/v1/index")).json()["reports"]
    found = (await client.post("/v1/search", json={"labels": ["Edema"]})).json()

    assert counts == {"images": 2, "waiting": 1, "images_by_text_model": {TEXT_MODEL: 1, "c" * 64: 1}}
    assert "reports" not in found["index"]
    metrics = (await client.get("/metrics")).text
    assert 'chex_reports_put_total{outcome="waiting"} 1.0' in metrics


async def test_images_come_page_by_page_each_once_whatever_is_written_meanwhile(client: httpx.AsyncClient) -> None:
    for number in range(7):
        await put_image(client, f"i{number}", png_bytes(picture_of("Edema", brightness=100 + number)))
    seen, cursor = [], None
    while True:
        page = (await client.get("/v1/images", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [record["image_id"] for record in page["images"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
        await client.delete("/v1/images/i1")
        await put_image(client, "a-new", png_bytes(picture_of("Edema", brightness=200)))

    assert seen == [f"i{number}" for number in range(7)]


async def test_images_are_listed_by_their_uids(client: httpx.AsyncClient) -> None:
    for name, uids in (
        ("a", ("1.1", "1.1.1", "1.1.1.1")),
        ("b", ("1.1", "1.1.2", "1.1.2.1")),
        ("c", ("1.2", None, None)),
    ):
        names = ("study_instance_uid", "series_instance_uid", "sop_instance_uid")
        sent = {key: uid for key, uid in zip(names, uids, strict=True) if uid}
        data = png_bytes(picture_of("Edema", brightness=100 + ord(name)))
        assert (await put_image(client, name, data, metadata=sent)).status_code == 201

    async def listed(**uids: str) -> list[str]:
        answer = await client.get("/v1/images", params=uids)
        assert answer.json()["next_cursor"] is None
        return [record["image_id"] for record in answer.json()["images"]]

    assert await listed(study_instance_uid="1.1") == ["a", "b"]
    assert await listed(series_instance_uid="1.1.2") == ["b"]
    assert await listed(sop_instance_uid="1.1.1.1") == ["a"]
    assert await listed(study_instance_uid="1.2", series_instance_uid="1.1.2") == []
    assert (await client.get("/v1/images/a")).json() in (await client.get("/v1/images")).json()["images"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=5.0",
        "limit=1_0",
        "cursor=",
        "study_instance_uid=x",
        "study=1.2",
        "limit=1&limit=2",
    ],
)
async def test_a_listing_that_cannot_be_meant_is_422(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/v1/images?{query}")).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {**labels("Edema"), "text": "Edema."},
        {**labels("Edema"), "text_model_sha256": "b"},
        {**labels("Edema"), "states": {"Edema": "present"}},
        {**labels("Edema"), "issued": "2026-03-01T09:30:00"},
        {**labels("Edema"), "issued": "2036-03-01T09:30:00Z"},
        {**labels("Edema"), "issued": "0001-01-01T00:00:00+14:00"},
        {**labels("Edema"), "accession_number": "ACC-77"},
    ],
)
async def test_a_report_that_cannot_be_kept_is_422_and_repeats_nothing(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await client.put("/v1/images/a/report", json=body)
    assert answer.status_code == 422
    assert "Edema." not in answer.text
    assert "ACC-77" not in answer.text
    with_image = await put_image(client, "a", report=body)
    assert with_image.status_code == 422
    assert (await client.get("/v1/index")).json()["size"] == 0


@pytest.mark.parametrize("uid", ["a", "1..2", "1." * 40])
async def test_a_study_uid_that_is_none_is_422(client: httpx.AsyncClient, uid: str) -> None:
    assert (await client.put(f"/v1/studies/{uid}/report", json=labels("Edema"))).status_code == 422


async def test_no_accession_number_reaches_disk_logs_or_answers(
    client: httpx.AsyncClient,
    settings: ImageIndexSettings,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    answers = [
        await client.post("/v1/reports", json=labels("Edema", accession_number="ACC-77", accession_issuer="NORTHSITE")),
        await client.put("/v1/images/d", content=with_accession("ACC-77", "NORTHSITE")),
        await client.post("/v1/reports", json=labels("Edema", accession_number="ACC-77", surprise=1)),
        await client.post("/v1/reports", json=labels("Edema", accession_number="ACC-77" * 20)),
        await client.get("/metrics"),
    ]
    told = [answer.text for answer in answers] + [caplog.text, *capfd.readouterr()]
    kept = [file.read_bytes() for file in settings.data_dir.rglob("*") if file.is_file()]

    assert [answer.status_code for answer in answers] == [201, 201, 422, 422, 200]
    assert not [text for text in told if "ACC-77" in text or "NORTHSITE" in text]
    assert not [data for data in kept if b"ACC-77" in data or b"NORTHSITE" in data]


async def test_what_was_known_by_reports_is_known_after_a_restart(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    app = create_app(settings, encoder)
    over_asgi = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://index")
    async with app.router.lifespan_context(app), over_asgi as first:
        await put_image(first, "a", report=labels("Edema"))
        await first.put(f"/v1/studies/{STUDY}/report", json=labels("Fracture"))
        record = (await first.get("/v1/images/a")).json()
        index = (await first.get("/v1/index")).json()
    client = await connect(create_app(settings, encoder))

    assert (await client.get("/v1/images/a")).json() == record
    assert (await client.get("/v1/index")).json() == index
