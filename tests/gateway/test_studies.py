"""Studies and patients as a whole, by way of the gateway."""

import pytest

from tests.gateway.fakes import PATIENT_KEY, problem

PNG = {"Content-Type": "image/png"}
PATIENT = "00020564"


@pytest.fixture
async def stored(client, index):
    index.images.clear()
    await client.put("/v1/images/a", content=b"pixels", headers=PNG)
    index.requests.clear()
    return client


async def test_a_study_comes_with_the_links_of_its_images(stored):
    answer = await stored.get("/v1/studies/1.2.3")
    assert answer.status_code == 200
    study = answer.json()
    assert (study["study_instance_uid"], study["study_date"], study["size"]) == ("1.2.3", "2026-03-01", 1)
    assert study["images"][0]["links"]["thumbnail"] == "/v1/images/a/thumbnail"


@pytest.mark.parametrize("settings", [{"public_url": "https://chex.example.org/chex"}])
async def test_its_links_are_whole_urls_where_the_public_one_is_configured(stored):
    (image,) = (await stored.get("/v1/studies/1.2.3")).json()["images"]
    assert image["links"]["image"] == "https://chex.example.org/chex/v1/images/a"


async def test_a_study_is_deleted_and_then_not_there(stored):
    assert (await stored.delete("/v1/studies/1.2.3")).status_code == 204
    missing = await stored.get("/v1/studies/1.2.3")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:chexretriever:not-found")


async def test_a_patient_is_forgotten_by_an_id_that_is_in_no_address(client, index):
    answer = await client.post("/v1/patients/by-id/delete", json={"patient_id": PATIENT})
    assert (answer.status_code, answer.json()) == (200, {"images": 2, "patient_key": PATIENT_KEY})
    assert index.patients == [{"patient_id": PATIENT}]
    assert all(PATIENT not in str(request.url) for request in index.requests)
    assert (
        await client.post("/v1/patients/by-id/delete", json={"patient_id": PATIENT, "issuer": "A"})
    ).status_code == 422


async def test_a_patient_is_forgotten_by_the_key(client, index):
    assert (await client.delete(f"/v1/patients/{PATIENT_KEY}")).json() == {"images": 2, "patient_key": PATIENT_KEY}
    assert index.patients == [f"/v1/patients/{PATIENT_KEY}"]
    assert (await client.delete(f"/v1/patients/{PATIENT}")).status_code == 422


async def test_a_report_is_forgotten_by_its_number(client, index):
    number = {"accession_number": "A0042"}
    await client.post("/v1/reports", json={"text": "Edema.", **number})
    assert (await client.post("/v1/reports/delete", json=number)).status_code == 204
    assert not index.reports
    index.script = [problem(409, "conflict", "Images of more than one study have this accession number.")]
    several = await client.post("/v1/reports/delete", json=number)
    assert (several.status_code, "more than one study" in several.json()["detail"]) == (409, True)


@pytest.mark.parametrize("path", ["/v1/images", "/v1/images/a", "/v1/images/a/thumbnail", "/v1/studies/1.2.3"])
async def test_head_has_the_headers_of_get_and_no_body(stored, path):
    got, head = await stored.get(path), await stored.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(got.content)
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers.get("etag") == got.headers.get("etag")


async def test_head_with_an_etag_that_holds_is_304(stored):
    assert (await stored.head("/v1/images/a/thumbnail", headers={"If-None-Match": '"v1"'})).status_code == 304
