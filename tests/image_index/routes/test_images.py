import asyncio
import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from services.image_index.app import create_app
from services.image_index.encoding.encoder import Encoder
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.new_image import NewImage, PutOutcome
from shared.labels import LABELS
from shared.schemas.images import ImageRecord
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.slow

EDEMA = png_bytes(picture_of("Edema"))
FRACTURE = png_bytes(picture_of("Fracture"))
PROBLEM = "application/problem+json"


async def put(client: httpx.AsyncClient, image_id: str, data: bytes, **params: object) -> httpx.Response:
    return await client.put(f"/v1/images/{image_id}", content=data, params=params)


async def test_a_new_image_is_created_and_can_be_read_back(client: httpx.AsyncClient) -> None:
    response = await put(client, "a:1", EDEMA)

    assert response.status_code == 201, response.text
    assert response.headers["location"] == "/v1/images/a:1"
    record = response.json()
    assert list(record["probabilities"]) == list(LABELS)
    assert max(record["probabilities"], key=record["probabilities"].get) == "Edema"
    assert record["content_sha256"] == hashlib.sha256(EDEMA).hexdigest()
    assert record["generation"] == 1
    assert record["pictured"] is True
    assert (await client.get("/v1/images/a:1")).json() == record


async def test_the_same_image_again_is_200_and_changes_nothing(client: httpx.AsyncClient) -> None:
    first = await put(client, "a", EDEMA)
    again = await put(client, "a", EDEMA)

    assert (again.status_code, again.json()) == (200, first.json())
    assert (await client.get("/v1/index")).json()["generation"] == 1


async def test_other_content_under_the_same_id_is_409_unless_replace_is_asked(client: httpx.AsyncClient) -> None:
    await put(client, "a", EDEMA)
    refused = await put(client, "a", FRACTURE)

    assert refused.status_code == 409
    assert refused.headers["content-type"] == PROBLEM
    assert "replace=true" in refused.json()["detail"]
    replaced = await put(client, "a", FRACTURE, replace=True)
    assert replaced.status_code == 200
    assert replaced.json()["probabilities"]["Fracture"] > 0.9
    assert replaced.json()["generation"] == 2


async def test_a_dicom_file_posted_again_with_other_pixels_is_409_unless_replace_is_asked(
    client: httpx.AsyncClient,
) -> None:
    first = made_dicom()
    other = made_dicom(PatientAge="064Y", SOPInstanceUID=first.SOPInstanceUID)
    created = await client.post("/v1/images", content=to_bytes(first))
    assert created.status_code == 201, created.text
    refused = await client.post("/v1/images", content=to_bytes(other))
    assert (refused.status_code, "replace=true" in refused.json()["detail"]) == (409, True)

    replaced = await client.post("/v1/images?replace=true", content=to_bytes(other))
    assert replaced.status_code == 200, replaced.text
    assert replaced.json()["image_id"] == created.json()["image_id"]
    assert replaced.json()["metadata"]["patient_age"] == 64


@pytest.mark.parametrize("metadata", ['{"patient_id": "\\ud800"}', '{"patient_age": "63"}', '{"patient_age": true}'])
async def test_metadata_of_another_type_or_without_meaning_is_422(client: httpx.AsyncClient, metadata: str) -> None:
    response = await client.put("/v1/images/a", files={"file": ("x.png", EDEMA), "metadata": (None, metadata)})

    assert response.status_code == 422, response.text


async def test_a_png_in_a_form_brings_its_metadata_and_the_patient_id_is_hashed(client: httpx.AsyncClient) -> None:
    metadata = {"view_position": "AP", "patient_age": 63, "patient_id": "MRN-7"}
    form = {"file": ("x.png", EDEMA, "image/png"), "metadata": (None, json.dumps(metadata), "application/json")}
    response = await client.put("/v1/images/a", files=form)

    assert response.status_code == 201, response.text
    stored = response.json()["metadata"]
    assert (stored["view_position"], stored["patient_age"]) == ("AP", 63)
    assert len(stored["patient_key"]) == 16
    assert "MRN-7" not in response.text
    assert (await client.put("/v1/images/a", files=form)).status_code == 200
    assert (await put(client, "a", EDEMA)).status_code == 200
    changed = form | {"metadata": (None, json.dumps(metadata | {"patient_age": 64}), "application/json")}
    assert (await client.put("/v1/images/a", files=changed)).status_code == 409
    assert (await client.put("/v1/images/a", files=changed, params={"replace": True})).json()["metadata"][
        "patient_age"
    ] == 64


async def test_a_dicom_file_brings_its_own_metadata_and_names_nobody(client: httpx.AsyncClient) -> None:
    dataset = made_dicom()
    response = await client.post("/v1/images", content=to_bytes(dataset))

    assert response.status_code == 201, response.text
    record = response.json()
    assert record["image_id"] == dataset.SOPInstanceUID == record["metadata"]["sop_instance_uid"]
    assert record["metadata"]["patient_sex"] == "F"
    assert record["metadata"]["patient_key"]
    for secret in ("Doe", "MRN-0042"):
        assert secret not in response.text
    assert (await client.post("/v1/images", content=to_bytes(dataset))).status_code == 200


async def test_a_picture_without_an_id_is_named_by_its_content(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/images", content=EDEMA)

    assert response.json()["image_id"] == hashlib.sha256(EDEMA).hexdigest()[:32]
    assert response.headers["location"] == f"/v1/images/{response.json()['image_id']}"


async def test_what_a_dicom_file_leaves_out_may_be_sent_along(client: httpx.AsyncClient) -> None:
    form = {
        "file": ("x.dcm", to_bytes(made_dicom(ViewPosition=None)), "application/dicom"),
        "metadata": (None, '{"view_position": "AP", "patient_sex": "M"}', "application/json"),
    }
    stored = (await client.post("/v1/images", files=form)).json()["metadata"]

    assert (stored["view_position"], stored["patient_sex"]) == ("AP", "F")


async def test_a_deleted_image_is_gone(client: httpx.AsyncClient) -> None:
    await put(client, "a", EDEMA)

    assert (await client.delete("/v1/images/a")).status_code == 204
    for call in ("/v1/images/a", "/v1/images/a/thumbnail", "/v1/images/a/heatmap?label=Edema"):
        response = await client.get(call)
        assert (response.status_code, response.headers["content-type"]) == (404, PROBLEM)


async def test_a_delete_that_is_sent_again_is_answered_as_the_first(client: httpx.AsyncClient) -> None:
    await put(client, "a", EDEMA)
    answers = [await client.delete("/v1/images/a") for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert (await client.get("/v1/index")).json()["generation"] == 2


async def test_a_thumbnail_is_a_jpeg_that_a_browser_may_keep(client: httpx.AsyncClient) -> None:
    await put(client, "a", EDEMA)
    response = await client.get("/v1/images/a/thumbnail")

    assert response.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(response.content)).size == (64, 64)
    etag = response.headers["etag"]
    kept = await client.get("/v1/images/a/thumbnail", headers={"If-None-Match": f'W/{etag}, "other"'})
    assert (kept.status_code, kept.content) == (304, b"")
    await put(client, "a", FRACTURE, replace=True)
    assert (await client.get("/v1/images/a/thumbnail", headers={"If-None-Match": etag})).status_code == 200


async def test_a_heat_map_points_at_the_place_of_the_label(client: httpx.AsyncClient) -> None:
    await put(client, "a", EDEMA)
    response = await client.get("/v1/images/a/heatmap", params={"label": "Edema"})
    pixels = np.asarray(Image.open(io.BytesIO(response.content))).astype(int)
    colour = pixels.max(axis=2) - pixels.min(axis=2)
    row, column = np.unravel_index(np.argmax(colour), colour.shape)

    assert response.headers["content-type"] == "image/png"
    assert (row // 16, column // 16) == divmod(LABELS.index("Edema"), 4)
    etag = response.headers["etag"]
    other = await client.get("/v1/images/a/heatmap", params={"label": "Fracture"}, headers={"If-None-Match": etag})
    assert other.status_code == 200


@pytest.mark.parametrize("label", ["Edema2", "", "edema"])
async def test_a_heat_map_of_no_label_is_422(client: httpx.AsyncClient, label: str) -> None:
    assert (await client.get("/v1/images/a/heatmap", params={"label": label})).status_code == 422


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GIF89a", 415),
        (b"%PDF-1.7 and more", 415),
        (b"", 422),
        (EDEMA[:-30], 422),
        (to_bytes(made_dicom(Modality="CT")), 422),
        (to_bytes(made_dicom(PixelData=None)), 422),
        (to_bytes(made_dicom(BurnedInAnnotation="YES")), 422),
        (to_bytes(made_dicom(Rows=60_000, Columns=60_000)), 413),
    ],
)
async def test_a_file_that_cannot_be_indexed_is_refused_with_the_reason(
    client: httpx.AsyncClient, data: bytes, status: int
) -> None:
    for response in (await put(client, "a", data), await client.post("/v1/search/by-image", content=data)):
        assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)
        assert response.json()["detail"]
    assert (await client.get("/v1/index")).json()["size"] == 0


async def test_a_file_that_is_too_long_is_413(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    client = await connect(create_app(settings.model_copy(update={"image_max_bytes": 100}), encoder))

    assert (await put(client, "a", EDEMA + bytes(100))).status_code == 413
    assert (await put(client, "a", bytes(3 * 2**20))).status_code == 413


@pytest.mark.parametrize("image_id", [".hidden", "a b", "x" * 129, "a%2Fb", "ü"])
async def test_an_id_with_other_characters_is_refused(client: httpx.AsyncClient, image_id: str) -> None:
    assert (await put(client, image_id, EDEMA)).status_code in (404, 422)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"metadata": (None, "{}")}, "file"),
        ([("file", ("x.png", EDEMA)), ("metadata", (None, "{}")), ("metadata", (None, "{}"))], "twice"),
        ({"file": ("x.png", EDEMA), "other": (None, "1")}, "file, metadata and report"),
        ({"file": ("x.png", EDEMA), "metadata": (None, "{")}, "not valid"),
        ({"file": ("x.png", EDEMA), "metadata": (None, '{"patient_age": 200}')}, "not valid"),
        ({"file": ("x.png", EDEMA), "metadata": (None, '{"patient_name": "Doe"}')}, "not valid"),
        ({"file": ("x.png", b"")}, "empty"),
    ],
)
async def test_a_form_that_cannot_be_read_is_422_and_repeats_nothing(
    client: httpx.AsyncClient, form: Any, says: str
) -> None:
    response = await client.put("/v1/images/a", files=form)

    assert response.status_code == 422
    assert says in response.json()["detail"]
    assert "Doe" not in response.text


async def test_what_was_acknowledged_is_there_after_a_restart(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    app = create_app(settings, encoder)
    over_asgi = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://index")
    async with app.router.lifespan_context(app), over_asgi as first:
        record = (await put(first, "a", EDEMA)).json()
    client = await connect(create_app(settings, encoder))

    assert (await client.get("/v1/images/a")).json() == record
    assert (await client.get("/v1/images/a/thumbnail")).status_code == 200


async def test_images_sent_at_once_are_encoded_together_and_all_kept(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    batches: list[int] = []

    class Slow(Encoder):
        def encode(self, squares):
            batches.append(len(squares))
            time.sleep(0.1)
            return super().encode(squares)

    slow = Slow(encoder._folder, encoder._session, encoder._base_rates)
    client = await connect(create_app(settings, slow))
    pictures = [png_bytes(picture_of(LABELS[n % 14], brightness=150 + n)) for n in range(24)]
    responses = await asyncio.gather(*(put(client, f"i{n}", picture) for n, picture in enumerate(pictures)))

    assert {response.status_code for response in responses} == {201}
    assert sum(batches) == 24
    assert len(batches) <= 12  # what comes while the encoder is at work is its next batch
    assert (await client.get("/v1/index")).json()["size"] == 24


async def test_a_full_queue_is_429_with_retry_after(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    narrow = settings.model_copy(
        update={"decode_threads": 1, "decode_max_queue": 1, "image_max_queue": 1, "image_max_batch": 1}
    )
    client = await connect(create_app(narrow, encoder))
    pictures = [png_bytes(picture_of(LABELS[n % 14]), str(n)) for n in range(30)]
    responses = await asyncio.gather(*(put(client, f"i{n}", picture) for n, picture in enumerate(pictures)))
    refused = [response for response in responses if response.status_code == 429]

    assert {response.status_code for response in responses} == {201, 429}
    assert all(int(response.headers["retry-after"]) >= 1 for response in refused)
    stored = (await client.get("/v1/index")).json()["size"]
    assert stored == 30 - len(refused)


async def test_an_encoder_that_is_too_slow_is_504_and_the_service_goes_on(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    go_on = threading.Event()

    class Stuck(Encoder):
        def encode(self, squares):
            assert go_on.wait(10)
            return super().encode(squares)

    hasty = settings.model_copy(update={"upload_timeout_s": 0.3})
    client = await connect(create_app(hasty, Stuck(encoder._folder, encoder._session, encoder._base_rates)))
    late = await put(client, "a", EDEMA)
    assert late.status_code == 504
    assert (await client.get("/healthz")).status_code == 200
    go_on.set()
    assert (await put(client, "a", EDEMA)).status_code == 201


async def test_readiness_metrics_and_model_are_told(client: httpx.AsyncClient, encoder: Encoder) -> None:
    await put(client, "a", EDEMA)

    assert (await client.get("/readyz")).json()["status"] == "ready"
    metrics = (await client.get("/metrics")).text
    assert "chex_index_images 1.0" in metrics
    assert 'chex_images_put_total{outcome="created"} 1.0' in metrics
    model = (await client.get("/v1/model")).json()
    assert model["weights_sha256"] == encoder.info.weights_sha256
    assert (await client.get("/v1/index")).json()["weights_sha256"] == model["weights_sha256"]


@pytest.mark.filterwarnings("ignore")
async def test_damaged_files_never_end_in_a_server_error(client: httpx.AsyncClient) -> None:
    random = np.random.default_rng(1)
    for number in range(80):
        data = bytearray((EDEMA, to_bytes(made_dicom()))[number % 2])
        for place in random.integers(0, min(len(data), 1500), 5):
            data[place] = random.integers(256)
        for call in ("/v1/images", "/v1/search/by-image"):
            response = await client.post(call, content=bytes(data))
            assert response.status_code in {200, 201, 409, 413, 415, 422}, response.text


async def test_a_store_that_does_not_answer_is_504_and_the_event_loop_goes_on(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    class Hanging(EmbeddedStore):
        go_on = threading.Event()

        def get(self, image_id: str) -> ImageRecord | None:
            assert self.go_on.wait(10)
            return super().get(image_id)

    store = Hanging(settings.index_folder, encoder.info.weights_sha256)
    client = await connect(create_app(settings.model_copy(update={"request_timeout_s": 0.2}), encoder, store))
    waiting = asyncio.create_task(client.get("/v1/images/a"))
    assert (await client.get("/healthz")).status_code == 200
    assert (await waiting).status_code == 504
    store.go_on.set()
    assert (await client.get("/v1/images/a")).status_code == 404


async def test_a_blank_patient_id_is_422_and_no_patient_of_its_own(client: httpx.AsyncClient) -> None:
    form = {"file": ("x.png", EDEMA), "metadata": (None, '{"patient_id": " "}', "application/json")}

    assert (await client.put("/v1/images/a", files=form)).status_code == 422


async def test_of_two_that_put_one_image_with_other_metadata_one_is_told(client: httpx.AsyncClient) -> None:
    def put_aged(age: int) -> Any:
        form = {"file": ("x.png", EDEMA), "metadata": (None, json.dumps({"patient_age": age}), "application/json")}
        return client.put("/v1/images/a", files=form)

    answers = await asyncio.gather(put_aged(40), put_aged(50))
    kept = (await client.get("/v1/images/a")).json()

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert [answer.json() for answer in answers if answer.status_code == 201] == [kept]


async def test_an_image_that_is_deleted_while_it_is_put_is_a_conflict_and_not_missing(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    class Deleting(EmbeddedStore):
        def put(self, images: Sequence[NewImage], *, replace: bool = False) -> list[PutOutcome]:
            outcomes = super().put(images, replace=replace)
            self.delete(images[0].image_id)
            return outcomes

    store = Deleting(settings.index_folder, encoder.info.weights_sha256)
    client = await connect(create_app(settings, encoder, store))

    assert (await put(client, "a", EDEMA)).status_code == 409
