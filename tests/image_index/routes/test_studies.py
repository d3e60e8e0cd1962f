"""Studies and patients as a whole over HTTP, the dates that searches ask for, and pictures that are there twice."""

import io
import json
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from PIL import Image

from services.image_index.app import create_app
from services.image_index.encoding.encoder import Encoder
from services.image_index.settings import ImageIndexSettings
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes
from tests.image_index.routes.test_reports import labels, put_image

STUDY = "1.2.3"


async def put_two(client: httpx.AsyncClient) -> None:
    of_study = {"study_instance_uid": STUDY, "patient_id": "00020564", "accession_number": "ACC-77"}
    for name in "ab":
        picture = png_bytes(picture_of("Edema"), name)
        answer = await put_image(client, name, picture, metadata=of_study)
        assert answer.status_code == 201, answer.text


async def test_a_study_is_shown_with_its_images_and_its_report(client: httpx.AsyncClient) -> None:
    await put_two(client)
    await client.put(f"/v1/studies/{STUDY}/report", json=labels("Edema"))
    study = (await client.get(f"/v1/studies/{STUDY}")).json()

    page = (await client.get("/v1/images", params={"study_instance_uid": STUDY})).json()
    assert study["images"] == page["images"]
    assert (study["study_instance_uid"], study["size"], study["study_date"]) == (STUDY, 2, None)
    assert study["report"]["states"]["Edema"] == "present"
    missing = await client.get("/v1/studies/9.9")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:chexretriever:not-found")


async def test_a_study_that_was_deleted_is_gone_and_may_be_deleted_again(client: httpx.AsyncClient) -> None:
    await put_two(client)
    await client.put(f"/v1/studies/{STUDY}/report", json=labels("Edema"))
    deleted = [await client.delete(f"/v1/studies/{STUDY}") for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in deleted] == [(204, b"")] * 2
    for path in (f"/v1/studies/{STUDY}", f"/v1/studies/{STUDY}/report", "/v1/images/a", "/v1/images/a/thumbnail"):
        assert (await client.get(path)).status_code == 404
    assert (await client.post("/v1/search", json={"labels": ["Edema"]})).json()["hits"] == []
    late = await client.put(f"/v1/studies/{STUDY}/report", json=labels("Edema"))
    by_number = await client.post("/v1/reports", json=labels("Edema", accession_number="ACC-77"))
    assert (late.status_code, by_number.status_code) == (409, 409)


@pytest.mark.parametrize("spelling", ["20564", "00020564", " 020564 "])
async def test_a_patient_goes_however_many_zeros_lead_the_id(client: httpx.AsyncClient, spelling: str) -> None:
    await put_two(client)
    gone = [await client.post("/v1/patients/by-id/delete", json={"patient_id": spelling}) for _ in range(2)]
    assert [(answer.status_code, answer.json()["images"]) for answer in gone] == [(200, 2), (200, 0)]
    assert len({answer.json()["patient_key"] for answer in gone}) == 1


async def test_a_patient_goes_by_the_key_that_images_carry(client: httpx.AsyncClient) -> None:
    await put_two(client)
    key = (await client.get("/v1/images/a")).json()["metadata"]["patient_key"]
    assert (await client.delete(f"/v1/patients/{key}")).json() == {"images": 2, "patient_key": key}
    assert (await client.delete("/v1/patients/20564")).status_code == 422


async def test_a_report_that_waits_under_a_number_is_removed_by_the_number(client: httpx.AsyncClient) -> None:
    number = {"accession_number": "ACC-1"}
    await client.post("/v1/reports", json=labels("Edema", **number))
    assert (await client.get("/v1/index")).json()["reports"]["waiting"] == 1

    removed = [await client.post("/v1/reports/delete", json=number) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in removed] == [(204, b"")] * 2
    assert (await client.get("/v1/index")).json()["reports"]["waiting"] == 0
    assert (await client.post("/v1/reports", json=labels("Edema", **number))).status_code == 409


async def test_a_number_of_several_studies_removes_no_report(client: httpx.AsyncClient) -> None:
    for name in "ab":
        await put_image(client, name, png_bytes(picture_of("Edema"), name), metadata={"accession_number": "ACC-1"})
    several = await client.post("/v1/reports/delete", json={"accession_number": "ACC-1"})
    assert (several.status_code, "accession_issuer" in several.json()["detail"]) == (409, True)


@pytest.mark.parametrize("path", ["/v1/images", "/v1/images/a", "/v1/images/a/thumbnail", f"/v1/studies/{STUDY}"])
async def test_head_has_the_headers_of_get_and_no_body(client: httpx.AsyncClient, path: str) -> None:
    await put_two(client)
    got, head = await client.get(path), await client.head(path)

    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(got.content) > 0
    same = {name: value for name, value in got.headers.items() if name != "x-request-id"}
    assert {name: value for name, value in head.headers.items() if name != "x-request-id"} == same


async def test_head_is_answered_where_get_is_alone(client: httpx.AsyncClient) -> None:
    assert (await client.head("/v1/images/nobody")).status_code == 404
    refused = await client.head("/v1/search")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await client.patch("/v1/index")).headers["allow"] == "GET, HEAD"


async def test_the_same_object_under_a_second_id_is_409_and_names_nobody(client: httpx.AsyncClient) -> None:
    picture, dicom = png_bytes(picture_of("Edema")), made_dicom()
    await put_image(client, "secret-name", picture)
    await client.put("/v1/images/other-name", content=to_bytes(dicom))
    other_pixels = to_bytes(made_dicom(PatientAge="064Y", SOPInstanceUID=dicom.SOPInstanceUID))
    for data in (picture, to_bytes(dicom), other_pixels):
        for sent in (await client.put("/v1/images/z", content=data), await client.post("/v1/images", content=data)):
            assert sent.status_code == 409
            assert "GET /v1/images?content_sha256=" in sent.json()["detail"]
            assert not {"secret-name", "other-name"} & set(sent.text.replace('"', " ").split())
    content = (await client.get("/v1/images/secret-name")).json()["content_sha256"]
    found = (await client.get("/v1/images", params={"content_sha256": content})).json()["images"]
    assert [image["image_id"] for image in found] == ["secret-name"]
    assert (await client.put("/v1/images/secret-name", content=picture)).status_code == 200


async def test_searches_find_studies_of_a_time_where_dates_are_kept(
    settings: ImageIndexSettings, encoder: Encoder, connect: Callable
) -> None:
    client = await connect(create_app(settings.model_copy(update={"keep_study_date": True}), encoder))
    for day in ("20260301", "20260302", "20260303"):
        sent = await client.put(f"/v1/images/{day}", content=to_bytes(made_dicom(StudyDate=day)))
        assert sent.status_code == 201, sent.text
    await put_image(client, "undated")

    async def found(**filters: str) -> list[str]:
        asked = {"labels": ["Edema"], "filters": {"include_laterals": True, **filters}}
        return sorted(hit["image_id"] for hit in (await client.post("/v1/search", json=asked)).json()["hits"])

    assert await found(study_date_from="2026-03-02") == ["20260302", "20260303"]
    assert await found(study_date_to="2026-03-02") == ["20260301", "20260302"]
    assert await found(study_date_from="2026-03-02", study_date_to="2026-03-02") == ["20260302"]
    assert await found(study_date_from="2027-01-01") == []
    backwards = {"study_date_from": "2026-03-02", "study_date_to": "2026-03-01"}
    refused = await client.post("/v1/search", json={"labels": ["Edema"], "filters": backwards})
    assert refused.status_code == 422


async def test_an_index_without_dates_says_so_where_dates_are_asked_for(client: httpx.AsyncClient) -> None:
    await put_two(client)
    asked = {"labels": ["Edema"], "filters": {"study_date_from": "2026-03-01"}}
    answer = (await client.post("/v1/search", json=asked)).json()
    assert (answer["hits"], "CHEX_KEEP_STUDY_DATE" in answer["reason"]) == ([], True)


def film(seed: int) -> np.ndarray:
    """Soft shapes, no two alike."""
    small = np.random.default_rng(seed).integers(0, 255, (12, 12)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize((200, 240), Image.Resampling.BICUBIC))


def saved_anew(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).resize((150, 180), Image.Resampling.LANCZOS).save(out, "JPEG", quality=60)
    return out.getvalue()


async def test_pictures_that_are_there_twice_are_merged_where_that_is_asked_for(client: httpx.AsyncClient) -> None:
    files = {f"film-{seed}": png_bytes(film(seed)) for seed in range(3)} | {"copy-of-0": saved_anew(film(0))}
    for name, data in files.items():
        assert (await put_image(client, name, data)).status_code == 201

    async def found(**options: object) -> dict[str, int]:
        answer = await client.post("/v1/search", json={"labels": ["Edema"], "k": 10, **options})
        return {hit["image_id"]: hit["merged"] for hit in answer.json()["hits"]}

    assert set(await found()) == set(files)
    merged = await found(merge_duplicates=True)
    assert sorted(merged.values()) == [0, 0, 1]
    assert {"film-1", "film-2"} < set(merged)
    assert len(await found(merge_duplicates=True, diversity=0.5)) == 3
    by_image = await client.post("/v1/search/by-image?merge_duplicates=true", content=files["film-0"])
    assert len(by_image.json()["hits"]) == 3
    both = {"labels": ["Edema"], "merge_duplicates": True, "group_by": "study"}
    assert (
        await client.post("/v1/search", content=json.dumps(both), headers={"content-type": "application/json"})
    ).is_client_error
