"""The three apps in one process, with the real bundled models: the gateway reaches the services over ASGI."""

import httpx
import pytest

from shared.labels import LABELS

pytestmark = pytest.mark.slow


@pytest.fixture
async def client(chain, phantom_pngs) -> httpx.AsyncClient:
    """The chain, over one phantom of each label."""
    for label, pictures in phantom_pngs.items():
        name = label.replace(" ", "_")
        response = await chain.put(f"/v1/images/{name}", content=pictures[0], headers={"Content-Type": "image/png"})
        assert response.status_code == 201, response.text
    return chain


async def test_impression_becomes_labels_becomes_ranked_ids(client):
    response = await client.post("/v1/retrieve", json={"impression": "Large right pneumothorax. No effusion.", "k": 3})
    assert response.status_code == 200, response.text
    result = response.json()["results"][0]
    assert result["labels"]["Pneumothorax"]["state"] == "present"
    assert result["labels"]["Pleural Effusion"]["state"] == "absent"
    assert result["query"] == {"Pneumothorax": 1.0}
    assert "Pneumothorax" in [hit["image_id"] for hit in result["hits"]]


async def test_several_impressions_are_answered_in_their_order(client):
    impressions = ["Cardiomegaly.", "No acute cardiopulmonary process.", "Endotracheal tube in place."]
    response = await client.post("/v1/retrieve", json={"impressions": impressions, "k": 2})
    queries = [list(result["query"]) for result in response.json()["results"]]
    # A device alone does not end No Finding.
    assert queries == [["Cardiomegaly"], ["No Finding"], ["No Finding", "Support Devices"]]


async def test_one_impression_of_several_in_another_language_is_warned_of_or_refused(client):
    body = {"impressions": ["Cardiomegaly.", "Pas d'épanchement pleural ni de pneumothorax visible."], "k": 1}
    results = (await client.post("/v1/retrieve", json=body)).json()["results"]
    found = [[(w["code"], w["language"]) for w in result["warnings"]] for result in results]
    assert found[0] == []
    assert found[1][0] == ("not_english", "fr")
    for path in ("/v1/retrieve", "/v1/classify"):
        asked = {"impressions": body["impressions"], "strict_language": True}
        response = await client.post(path, json=asked)
        assert response.status_code == 422
        assert "Impression 2" in response.json()["detail"]
        assert "panchement" not in response.text


async def test_label_names_find_the_image_that_shows_them(client):
    for label in ("Cardiomegaly", "Pleural Effusion", "Pneumothorax"):
        response = await client.post("/v1/search", json={"labels": [label], "k": 3})
        assert label.replace(" ", "_") in [hit["image_id"] for hit in response.json()["result"]["hits"]]


async def test_a_label_that_no_patient_taught_the_encoder_is_found_by_reports(client):
    query = {"labels": ["Support Devices"], "k": 3}
    nothing = (await client.post("/v1/search", json=query)).json()["result"]
    text = {"text": "Dual lead pacemaker in place. No pneumothorax.", "issued": "2026-03-01T09:30:00Z"}
    given = await client.put("/v1/images/Support_Devices/report", json=text)
    found = (await client.post("/v1/search", json=query)).json()["result"]

    assert nothing["hits"] == []
    assert "Support Devices is unproven on patients" in nothing["reason"]
    assert given.status_code == 201, given.text
    assert [(hit["image_id"], hit["basis"]) for hit in found["hits"]] == [("Support_Devices", "report")]
    assert "Support Devices" in (await client.get("/v1/models")).json()["image"]["unproven"]


async def test_a_page_of_an_index_that_has_changed_is_refused(client):
    query = {"labels": ["Cardiomegaly"], "k": 2}
    first = (await client.post("/v1/search", json=query)).json()
    page = {**query, "offset": 2, "generation": first["index"]["generation"]}
    second = (await client.post("/v1/search", json=page)).json()
    assert [hit["rank"] for hit in second["result"]["hits"]] == [3, 4]

    await client.delete("/v1/images/Fracture")
    response = await client.post("/v1/search", json=page)
    assert response.status_code == 409
    assert response.json()["type"] == "urn:chexretriever:conflict"


async def test_an_image_finds_itself_first(client, phantom_pngs):
    response = await client.post(
        "/v1/search/by-image", content=phantom_pngs["Cardiomegaly"][0], headers={"Content-Type": "image/png"}
    )
    assert response.status_code == 200, response.text
    answer = response.json()
    assert set(answer["probabilities"]) == set(LABELS)
    assert "Cardiomegaly" in [hit["image_id"] for hit in answer["result"]["hits"]]


async def test_models_name_the_weights_that_answers_carry(client):
    models = (await client.get("/v1/models")).json()
    answer = (await client.post("/v1/retrieve", json={"impression": "Edema."})).json()
    for part in ("text", "image"):
        assert models[part]["weights_sha256"] == answer["models"][part]["weights_sha256"]
    assert answer["index"]["weights_sha256"] == answer["models"]["image"]["weights_sha256"]
    assert models["image"]["burned_in"]["policy"] == "allow"
    assert models["text"]["burned_in"] is None


async def test_diversity_and_counts_of_a_study_pass_through_the_gateway(client):
    plain, diverse = [
        (await client.post("/v1/retrieve", json={"impression": "Cardiomegaly.", "k": 6, "diversity": diversity})).json()
        for diversity in (0, 0.8)
    ]
    first, other = ([hit["image_id"] for hit in answer["results"][0]["hits"]] for answer in (plain, diverse))
    assert first[0] == other[0]
    assert first != other
    assert {hit["merged"] for hit in plain["results"][0]["hits"]} == {0}

    refused = await client.post(
        "/v1/retrieve", json={"impression": "Edema.", "k": 900, "offset": 200, "diversity": 0.5}
    )
    assert refused.status_code == 422
