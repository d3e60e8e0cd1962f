"""What was received too long ago is forgotten by the running index, and nobody's name is written down."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.image_index import retention
from services.image_index.app import create_app
from services.image_index.encoding.encoder import Encoder
from services.image_index.retention import Retention
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.calls import StoreCalls
from services.image_index.store.contract import Forgotten
from services.image_index.store.embedded.store import EmbeddedStore
from shared.errors import Unavailable
from tests.image_index.store.conftest import WEIGHTS, made_image


async def test_an_index_forgets_at_its_start_what_is_too_old(
    settings: ImageIndexSettings, encoder: Encoder, connect: Callable
) -> None:
    weights = encoder.info.weights_sha256
    old = [made_image(name) for name in ("a", "b")]
    with EmbeddedStore(settings.index_folder, weights) as store:
        store.put([replace(image, weights_sha256=weights) for image in old])
        store._writer.execute("UPDATE images SET received = received - 86400000000 * 31 WHERE image_id = 'a'")
    client = await connect(create_app(settings.model_copy(update={"forget_after_days": 30}), encoder))
    async with asyncio.timeout(10):
        while (await client.get("/v1/index")).json()["size"] > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await client.get("/v1/images/b")).status_code == 200


async def test_all_of_it_goes_in_small_batches_and_only_counts_are_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    call = StoreCalls(10)
    with EmbeddedStore(tmp_path, WEIGHTS) as store, capture_logs() as logged:
        store.put([made_image(f"name-{number}") for number in range(5)])
        assert await Retention(store, call, 1).forget(timedelta(days=1)) == Forgotten(0, 0)
        assert await Retention(store, call, 1).forget(timedelta(microseconds=0)) == Forgotten(5, 0)
    call.close()
    assert logged == [{"images": 5, "reports": 0, "event": "forgotten", "log_level": "info"}]


async def test_a_store_that_cannot_be_written_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_EVERY_S", 0.001)
    asked = 0

    class FullDisk:
        def forget_before(self, *_how: object) -> Forgotten:
            nonlocal asked
            asked += 1
            raise Unavailable("The disk is full.")

    call = StoreCalls(10)
    keeping = Retention(FullDisk(), call, 30)  # type: ignore[arg-type]
    with capture_logs() as logged:
        keeping.start()
        async with asyncio.timeout(10):
            while asked < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await keeping.stop()
    call.close()
    assert {line["event"] for line in logged} == {"not_forgotten"}
