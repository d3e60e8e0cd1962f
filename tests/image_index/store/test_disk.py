import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.image_index.ranking.query import Query
from services.image_index.store.embedded.disk import Disk
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.new_image import PutOutcome
from shared.errors import Unavailable
from shared.schemas.search import SearchOptions
from tests.image_index.store.conftest import WEIGHTS, made_image
from tests.image_index.store.full_disk import fill, small_disk

BIG = [made_image(f"big-{n}", content="x" * 4000) for n in range(20)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as folder:
        yield folder


def found_ids(store: EmbeddedStore) -> list[str]:
    return [hit.record.image_id for hit in store.search(Query(np.ones(14), SearchOptions(k=100))).hits]


def test_a_disk_that_has_run_full_is_told_and_takes_writes_again_when_it_has_room(disk: Path) -> None:
    with EmbeddedStore(disk / "index", WEIGHTS, min_free_bytes=0) as store:
        store.put([made_image("a")])
        filler = fill(disk)
        with pytest.raises(Unavailable, match="full") as refused:
            store.put(BIG)

        assert refused.value.retry_after_s
        assert "full" in str(store.write_trouble())
        assert found_ids(store) == ["a"]
        filler.unlink()
        store._disk._next_probe = 0
        assert store.write_trouble() is None
        assert store.put([made_image("b")]) == [PutOutcome.CREATED]
        checksum = store.checksum()
    with EmbeddedStore(disk / "index", WEIGHTS) as again:
        assert (found_ids(again), again.checksum()) == (["a", "b"], checksum)


def test_what_has_to_stay_free_stays_free_and_lets_an_image_be_deleted(disk: Path) -> None:
    with EmbeddedStore(disk / "index", WEIGHTS, min_free_bytes=2**21) as store:
        store.put([made_image("a"), made_image("b")])
        (disk / "other").write_bytes(bytes(3 * 2**20))
        trouble = store.write_trouble()
        with pytest.raises(Unavailable, match="2 MiB have to stay free"):
            store.put([made_image("c")])

        assert "2 MiB have to stay free" in str(trouble)
        assert store.delete("a")
        assert found_ids(store) == ["b"]
        (disk / "other").unlink()
        assert store.put([made_image("c")]) == [PutOutcome.CREATED]


def test_an_index_is_not_begun_on_a_full_disk_and_can_be_begun_later(disk: Path) -> None:
    filler = fill(disk)
    with pytest.raises(StoreUnusable, match="full"):
        EmbeddedStore(disk / "index", WEIGHTS)
    filler.unlink()
    with EmbeddedStore(disk / "index", WEIGHTS, min_free_bytes=0) as store:
        assert store.put([made_image("a")]) == [PutOutcome.CREATED]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_after_a_failed_write_a_file_is_tried_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        tried.append(descriptor)
        if len(tried) < 3:
            raise OSError(errno.EIO, "I/O error")
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    clock = Clock()
    disk = Disk(tmp_path, 0, clock)
    assert disk.trouble() is None
    assert tried == []
    disk.failed()
    troubles = []
    for step in range(11):
        clock.now = step / 2
        troubles.append(disk.trouble() is not None)

    assert len(tried) == 3  # at 0, 2 and 4 s
    assert troubles == [True] * 8 + [False] * 3
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_succeeds_ends_the_trouble(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 0)
    disk.failed()
    disk.wrote()
    disk._next_probe = float("inf")

    assert disk.trouble() is None
