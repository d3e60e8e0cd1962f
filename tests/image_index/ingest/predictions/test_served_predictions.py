"""An index of imported predictions, served."""

from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from services.image_index.app import create_app
from services.image_index.ingest.commands import import_predictions, ingest
from services.image_index.patient_keys import PatientKeyUnusable
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.failures import StoreUnusable
from shared.image_ids import image_id_of
from shared.labels import LABELS
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.image_index.ingest.predictions.made_predictions import HEADER, made_rows, write_table

ROWS = made_rows(200)
PROBABILITIES = np.array([row[HEADER.index("prob_Atelectasis") : HEADER.index("pred_Atelectasis")] for row in ROWS])
EDEMA = png_bytes(picture_of("Edema"))


@pytest.fixture(autouse=True)
def the_key_that_the_service_has(settings: ImageIndexSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHEX_PATIENT_KEY", settings.patient_key.get_secret_value())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path / "predictions.csv", ROWS)


@pytest.fixture
async def client(settings: ImageIndexSettings, table: Path, connect: Callable) -> httpx.AsyncClient:
    import_predictions(table, data_dir=settings.data_dir, model_name="original-resnet50")
    return await connect(create_app(settings))


async def test_labels_find_images_in_every_ranking(client: httpx.AsyncClient) -> None:
    query = {"labels": ["Edema", "Pleural Effusion"], "k": 5, "filters": {"include_laterals": True}}
    for ranking in ("label_set_posterior", "soft_jaccard", "cosine", "centered_cosine", "log_likelihood"):
        response = await client.post("/v1/search", json={**query, "ranking": ranking})
        assert response.status_code == 200, response.text
        assert len(response.json()["hits"]) == 5

    q = np.isin(LABELS, query["labels"]).astype(float)
    scores = PROBABILITIES @ q / (q.sum() + PROBABILITIES.sum(axis=1) - PROBABILITIES @ q)
    found = (await client.post("/v1/search", json={**query, "ranking": "soft_jaccard"})).json()["hits"]
    assert [hit["image_id"] for hit in found] == [image_id_of(ROWS[row][0]) for row in np.argsort(-scores)[:5]]
    by_patient = (await client.post("/v1/search", json={**query, "group_by": "patient"})).json()["hits"]
    assert len({hit["metadata"]["patient_key"] for hit in by_patient}) == 5
    by_study = (await client.post("/v1/search", json={**query, "group_by": "study"})).json()["hits"]
    assert len({hit["metadata"]["study_instance_uid"] for hit in by_study}) == 5


async def test_it_says_whose_predictions_it_serves_and_by_which_thresholds(client: httpx.AsyncClient) -> None:
    model = (await client.get("/v1/model")).json()

    assert (model["name"], model["version"]) == ("original-resnet50", "imported")
    assert model["weights_sha256"] == (await client.get("/v1/index")).json()["weights_sha256"]
    assert all(0.29 < threshold < 0.5 for threshold in model["thresholds"].values())
    hit = (await client.post("/v1/search", json={"labels": ["Edema"], "k": 1})).json()["hits"][0]
    (row,) = [row for row in ROWS if image_id_of(row[0]) == hit["image_id"]]
    decided = {label for label, present in zip(LABELS, row[-14:], strict=True) if present}
    assert {*hit["matched"], *hit["extra"]} == decided


async def test_pictures_are_not_found_and_the_answer_says_why(client: httpx.AsyncClient) -> None:
    image = f"/v1/images/{image_id_of(ROWS[0][0])}"

    assert (await client.get(image)).json()["pictured"] is False
    found = (await client.post("/v1/search", json={"labels": ["Edema"]})).json()["hits"]
    assert [hit["pictured"] for hit in found] == [False] * 5
    assert all(hit["metadata"]["study_invented"] for hit in found)
    for picture in (f"{image}/thumbnail", f"{image}/heatmap?label=Edema"):
        response = await client.get(picture)
        assert response.status_code == 404
        assert "imported without the picture" in response.json()["detail"]
    assert "no image with this id" in (await client.get("/v1/images/other/thumbnail")).json()["detail"]


async def test_an_image_is_refused_because_nothing_can_encode_it(client: httpx.AsyncClient) -> None:
    before = (await client.get("/v1/index")).json()
    new = await client.put("/v1/images/new", content=EDEMA)
    replacing = await client.put(f"/v1/images/{image_id_of(ROWS[0][0])}", content=EDEMA, params={"replace": True})
    query = await client.post("/v1/search/by-image", content=EDEMA)

    for response in (new, replacing, query):
        assert response.status_code == 409, response.text
        assert "imported predictions of original-resnet50" in response.json()["detail"]
    assert (await client.get("/v1/index")).json() == before


async def test_with_the_hash_of_its_encoder_an_index_is_served_by_it_and_takes_images(
    settings: ImageIndexSettings, table: Path, connect: Callable, encoder: object
) -> None:
    import_predictions(table, data_dir=settings.data_dir, weights_sha256=encoder.info.weights_sha256)
    client = await connect(create_app(settings))

    assert (await client.put("/v1/images/new", content=EDEMA)).status_code == 201
    assert (await client.get("/v1/index")).json()["size"] == 201
    assert (await client.get("/v1/images/new/thumbnail")).status_code == 200


def test_an_index_that_was_filled_with_another_patient_key_is_not_served(
    settings: ImageIndexSettings, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHEX_PATIENT_KEY")
    import_predictions(table, data_dir=settings.data_dir, model_name="one")

    with pytest.raises(PatientKeyUnusable, match="hashed with another key"):
        create_app(settings)


def test_predictions_of_two_models_do_not_mix_nor_do_images(
    settings: ImageIndexSettings, table: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import_predictions(table, data_dir=settings.data_dir, model_name="one")
    more = write_table(tmp_path / "more.csv", [["other.jpg", *ROWS[0][1:]]])
    import_predictions(more, data_dir=settings.data_dir, model_name="one")

    with pytest.raises(StoreUnusable, match="other encoder weights"):
        import_predictions(more, data_dir=settings.data_dir, model_name="two")
    with pytest.raises(SystemExit, match="holds the imported predictions of one"):
        ingest(images_root=tmp_path, data_dir=settings.data_dir)
    (settings.index_folder / "predictions.json").unlink()
    with pytest.raises(StoreUnusable, match="other encoder weights"):
        create_app(settings)
