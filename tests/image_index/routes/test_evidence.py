"""Searches over HTTP of images that are known by their pictures, by their reports, or by both."""

import json
from typing import Any

import httpx
import pytest

from services.image_index.app import create_app
from shared.labels import LABELS
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of

TEXT_MODEL = "c" * 64
SHOWN = {"edema": "Edema", "edema-too": "Edema", "effusion": "Pleural Effusion"}


def report(*present: str) -> dict[str, Any]:
    return {
        "states": {name: "present" if name in present else "not_mentioned" for name in LABELS},
        "probabilities": {name: 0.99 if name in present else 0.001 for name in LABELS},
        "text_model_sha256": TEXT_MODEL,
    }


@pytest.fixture
async def archive(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Two pictures of an edema, of which the report of one tells so; and one of an effusion, whose report tells of a
    pneumothorax.
    """
    for image_id, label in SHOWN.items():
        picture = png_bytes(picture_of(label), image_id)
        answer = await client.put(f"/v1/images/{image_id}", files={"file": ("x.png", picture)})
        assert answer.status_code == 201, answer.text
    await client.put("/v1/images/edema-too/report", json=report("Edema"))
    await client.put("/v1/images/effusion/report", json=report("Pneumothorax"))
    return client


async def search(client: httpx.AsyncClient, labels: object, **options: object) -> dict[str, Any]:
    answer = await client.post("/v1/search", json={"labels": labels, **options})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_image_is_found_by_what_its_report_tells(archive: httpx.AsyncClient) -> None:
    found = await search(archive, ["Pneumothorax"], k=1)
    hit = found["hits"][0]

    assert (hit["image_id"], hit["basis"]) == ("effusion", "both")
    assert hit["report"]["states"]["Pneumothorax"] == "present"
    assert hit["report"]["text_model_sha256"] == TEXT_MODEL
    assert hit["matched"] == ["Pneumothorax"]
    label = "Pneumothorax"
    assert hit["image_probabilities"][label] < hit["probabilities"][label] < hit["report"]["probabilities"][label]


async def test_a_report_that_agrees_puts_an_image_before_one_without(archive: httpx.AsyncClient) -> None:
    hits = (await search(archive, ["Edema"], k=2))["hits"]
    assert [(hit["image_id"], hit["basis"]) for hit in hits] == [("edema-too", "both"), ("edema", "image")]
    assert hits[0]["score"] > hits[1]["score"]
    assert hits[1]["report"] is None
    assert hits[1]["probabilities"] == hits[1]["image_probabilities"]


async def test_pictures_alone_do_not_know_what_reports_tell(archive: httpx.AsyncClient) -> None:
    hits = (await search(archive, ["Edema"], k=3, evidence="image"))["hits"]
    assert [hit["image_id"] for hit in hits] == ["edema", "edema-too", "effusion"]
    assert hits[0]["score"] == hits[1]["score"]
    assert {hit["basis"] for hit in hits} == {"image"}
    assert hits[2]["probabilities"] == hits[2]["image_probabilities"]


async def test_reports_alone_leave_out_images_without_one(archive: httpx.AsyncClient) -> None:
    found = await search(archive, ["Edema"], k=3, evidence="report")
    assert [(hit["image_id"], hit["basis"]) for hit in found["hits"]] == [
        ("edema-too", "report"),
        ("effusion", "report"),
    ]
    assert found["candidates"] == 2
    assert found["reason"] == "Images are to be known by their reports, and no further image has one."


async def test_limits_on_labels_are_limits_on_what_picture_and_report_tell(archive: httpx.AsyncClient) -> None:
    limits = {"required_labels": {"Pneumothorax": 0.5}}
    assert [hit["image_id"] for hit in (await search(archive, ["Edema"], filters=limits))["hits"]] == ["effusion"]
    assert (await search(archive, ["Edema"], filters=limits, evidence="image"))["hits"] == []


async def test_every_ranking_knows_reports(archive: httpx.AsyncClient) -> None:
    for ranking in ("label_set_posterior", "soft_jaccard", "cosine", "centered_cosine", "log_likelihood"):
        first = (await search(archive, ["Pneumothorax"], k=1, ranking=ranking))["hits"][0]
        assert first["image_id"] == "effusion", ranking
    first = (await search(archive, ["Pneumothorax"], k=1, ranking="cosine", binarize=True))["hits"][0]
    assert first["image_id"] == "effusion"


async def test_a_picture_is_compared_with_pictures_unless_asked_otherwise(archive: httpx.AsyncClient) -> None:
    async def by_image(**options: object) -> list[dict[str, Any]]:
        picture = png_bytes(picture_of("Pleural Effusion"))
        answer = await archive.post("/v1/search/by-image", content=picture, params={"k": 3, **options})
        return answer.json()["hits"]

    alone, both = await by_image(), await by_image(evidence="all")
    assert (alone[0]["image_id"], alone[0]["basis"], alone[0]["score"]) == ("effusion", "image", pytest.approx(1))
    assert next(hit["score"] for hit in both if hit["image_id"] == "effusion") < 0.9


async def test_picture_and_report_that_tell_of_different_findings_are_flagged(archive: httpx.AsyncClient) -> None:
    others = report("Pneumothorax", "Lung Lesion", "Pleural Other", "Atelectasis", "Cardiomegaly")
    await archive.put("/v1/images/effusion/report", json=others)
    hits = {hit["image_id"]: hit for hit in (await search(archive, ["Edema"], k=3))["hits"]}
    assert {image_id: hit["report_disagrees"] for image_id, hit in hits.items()} == {
        "edema": False,
        "edema-too": False,
        "effusion": True,
    }
    assert "Pleural Effusion" in hits["effusion"]["disagreements"]

    asked = (await archive.get("/v1/images", params={"report_disagrees": True})).json()["images"]
    others = (await archive.get("/v1/images", params={"report_disagrees": False})).json()["images"]
    assert [(image["image_id"], image["disagreements"]) for image in asked] == [
        ("effusion", hits["effusion"]["disagreements"])
    ]
    assert [image["image_id"] for image in others] == ["edema", "edema-too"]


async def test_a_removed_report_is_evidence_no_more(archive: httpx.AsyncClient) -> None:
    before = await search(archive, ["Pneumothorax"], k=3)
    await archive.delete("/v1/images/effusion/report")
    await archive.delete("/v1/images/edema-too/report")
    after = await search(archive, ["Pneumothorax"], k=3)
    assert before["hits"][0]["image_id"] == "effusion"
    assert {hit["basis"] for hit in after["hits"]} == {"image"}
    assert after["hits"] == (await search(archive, ["Pneumothorax"], k=3, evidence="image"))["hits"]


@pytest.fixture
async def doubtful(connect, encoder, settings, tiny_model) -> httpx.AsyncClient:
    """An encoder that knows Edema from drawings alone."""
    config = json.loads((tiny_model / "config.json").read_text())
    folder = settings.data_dir.parent / "doubtful"
    folder.mkdir()
    for file in tiny_model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "config.json").write_text(json.dumps(config | {"label_support": {"Edema": "phantom"}}))
    client = await connect(create_app(settings.model_copy(update={"image_model": folder})))
    for image_id, label in SHOWN.items():
        picture = png_bytes(picture_of(label), image_id)
        await client.put(f"/v1/images/{image_id}", files={"file": ("x.png", picture)})
    return client


async def test_a_label_that_is_unproven_on_patients_is_found_by_reports_alone(doubtful: httpx.AsyncClient) -> None:
    nothing = await search(doubtful, ["Edema"])
    await doubtful.put("/v1/images/effusion/report", json=report("Edema"))
    one = await search(doubtful, ["Edema"])

    assert nothing["hits"] == []
    assert nothing["reason"] == (
        "What a picture shows of Edema is unproven on patients and counts for nothing, and no image that passes the "
        "filters has a report."
    )
    assert [(hit["image_id"], hit["basis"]) for hit in one["hits"]] == [("effusion", "report")]
    assert "no further image has a report" in one["reason"]
    assert (await search(doubtful, ["Edema"], evidence="image"))["hits"] == []


async def test_what_is_unproven_moves_no_image_beside_what_is_not(doubtful: httpx.AsyncClient) -> None:
    hits = (await search(doubtful, ["Edema", "Pleural Effusion"], k=3))["hits"]
    assert hits[0]["image_id"] == "effusion"
    assert hits[1]["score"] == hits[2]["score"]
    assert len({hit["probabilities"]["Edema"] for hit in hits}) == 1


async def test_a_picture_s_own_unproven_labels_do_not_look_for_others(doubtful: httpx.AsyncClient) -> None:
    """Nor do they tell images of an edema from images of nothing."""
    picture = png_bytes(picture_of("Edema"))
    found = (await doubtful.post("/v1/search/by-image", content=picture, params={"k": 3})).json()
    assert found["probabilities"]["Edema"] > 0.5  # said, and not believed
    assert found["hits"][0]["score"] == found["hits"][1]["score"]
    assert all("Edema" not in hit["matched"] + hit["missed"] for hit in found["hits"])
