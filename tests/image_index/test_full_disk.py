"""The service while nothing can be written: searches go on, writes are refused, and each refusal can be found."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from asgi_correlation_id import correlation_id

from services.image_index.app import create_app
from services.image_index.encoding.encoder import Encoder
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.embedded.store import EmbeddedStore
from shared.errors import Unavailable
from shared.web.logs import configure_logging
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.image_index.routes.test_reports import form, labels
from tests.image_index.store.full_disk import fill, small_disk

EDEMA = png_bytes(picture_of("Edema"))
FRACTURE = png_bytes(picture_of("Fracture"))


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    root.handlers[:] = []
    configure_logging("image-index", "info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_a_full_disk_is_told_and_refuses_writes_alone(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    with small_disk(settings.data_dir):
        settings = settings.model_copy(update={"min_free_bytes": 2**20})
        client = await connect(create_app(settings, encoder))
        assert (await client.put("/v1/images/a", content=EDEMA)).status_code == 201
        healthy = (await client.get("/readyz")).json()
        filler = fill(settings.data_dir)
        full = await client.get("/readyz")
        refused = await client.put("/v1/images/b", content=FRACTURE)
        no_report = await client.put("/v1/images/a/report", json=labels("Edema"))
        nor_with_it = await client.put("/v1/images/a", files=form(EDEMA, report=labels("Edema")))

        assert healthy["writes"] is True
        assert (full.status_code, full.json()["status"], full.json()["writes"]) == (200, "ready", False)
        (check,) = [check for check in full.json()["checks"] if check["part"] == "index-store"]
        assert (check["ready"], check["writes"]) == (True, False)
        assert "full" in check["detail"]
        for answer in (refused, no_report, nor_with_it):
            assert (answer.status_code, answer.json()["part"]) == (503, "index-store")
            assert int(answer.headers["retry-after"]) > 0
            assert "full" in answer.json()["detail"]
        assert (await client.get("/v1/images/a")).json()["report"] is None
        assert (await client.put("/v1/images/a", content=EDEMA)).status_code == 200  # it is there: nothing to write
        found = await client.post("/v1/search", json={"labels": ["Edema"]})
        assert [hit["image_id"] for hit in found.json()["hits"]] == ["a"]
        filler.unlink()
        assert (await client.get("/readyz")).json()["writes"] is True
        assert (await client.put("/v1/images/b", content=FRACTURE)).status_code == 201


async def test_every_request_that_a_failed_commit_took_along_is_in_the_log_under_its_id(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder, log: io.StringIO
) -> None:
    store = EmbeddedStore(settings.index_folder, encoder.info.weights_sha256)
    client = await connect(create_app(settings, encoder, store))
    store._writer.execute("PRAGMA query_only = ON")

    async def put(number: int) -> int:
        content = png_bytes(picture_of("Edema", brightness=100 + number))
        headers = {"X-Request-ID": f"request-{number}"}
        return (await client.put(f"/v1/images/i{number}", content=content, headers=headers)).status_code

    assert set(await asyncio.gather(*map(put, range(8)))) == {503}
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    failed = [line for line in lines if line["event"] == "store_failed"]
    assert sorted(line["request_id"] for line in failed) == [f"request-{number}" for number in range(8)]
    assert {line["code"] for line in failed} <= {"SQLITE_READONLY", "REFUSED"}


async def test_a_disk_that_does_not_answer_stops_no_readiness(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Hanging(EmbeddedStore):
        def write_trouble(self) -> str | None:
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
            return None

    client = await connect(create_app(settings, encoder, Hanging(settings.index_folder, encoder.info.weights_sha256)))
    answer = await client.get("/readyz")
    go_on.set()

    assert (answer.status_code, answer.json()["writes"]) == (200, False)


def test_writers_that_share_a_failed_commit_have_a_line_each(
    settings: ImageIndexSettings, encoder: Encoder, log: io.StringIO
) -> None:
    with EmbeddedStore(settings.index_folder, encoder.info.weights_sha256) as store, ThreadPoolExecutor(4) as threads:
        store._writer.execute("PRAGMA query_only = ON")

        def delete(request_id: str) -> None:
            correlation_id.set(request_id)
            with pytest.raises(Unavailable):
                store.delete("a")

        with store._writes.pause():
            waiting = [threads.submit(delete, f"request-{number}") for number in range(4)]
            while len(store._writes._waiting) < 4:
                pass
        for future in waiting:
            future.result()

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert sorted((line["request_id"], line["code"]) for line in lines) == [
        (f"request-{number}", "SQLITE_READONLY") for number in range(4)
    ]
