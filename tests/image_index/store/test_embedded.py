import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.image_index.ranking.query import Query
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.new_image import PutOutcome
from shared.errors import Unavailable
from shared.labels import LABELS
from shared.schemas.search import SearchFilters, SearchOptions
from tests.image_index.store.conftest import WEIGHTS, made_image

EVERYTHING = Query(np.ones(len(LABELS)), SearchOptions(k=1000))
Open = Callable[[], EmbeddedStore]


def found_ids(store: EmbeddedStore) -> list[str]:
    return [hit.record.image_id for hit in store.search(EVERYTHING).hits]


def test_an_image_that_was_put_is_read_shown_and_found(store: EmbeddedStore) -> None:
    image = made_image("a", np.linspace(0, 1, 14), view_position="PA", patient_age=40, patient_key="k")

    assert store.put([image]) == [PutOutcome.CREATED]
    record = store.get("a")
    assert record is not None
    assert list(record.probabilities) == list(LABELS)
    assert list(record.probabilities.values()) == pytest.approx(np.linspace(0, 1, 14), abs=1e-7)
    assert record.metadata == image.metadata
    assert (record.content_sha256, record.weights_sha256) == (image.content_sha256, WEIGHTS)
    assert store.thumbnail("a") == image.thumbnail
    cam = store.cam("a", "Edema")
    assert cam is not None
    assert np.array_equal(cam, image.cam[LABELS.index("Edema")])
    assert [hit.record for hit in store.search(EVERYTHING).hits] == [record]


def test_what_is_not_there_is_none(store: EmbeddedStore) -> None:
    assert (store.get("a"), store.thumbnail("a"), store.cam("a", "Edema"), store.delete("a")) == (
        None,
        None,
        None,
        False,
    )


def test_the_hash_of_what_is_stored_is_known_without_the_rest(store: EmbeddedStore) -> None:
    image = made_image("a", np.full(14, 0.5), content="one")
    store.put([image])
    assert store.stored_sha256("a") == image.content_sha256
    assert store.stored_sha256("b") is None


def test_the_same_content_again_changes_nothing(store: EmbeddedStore) -> None:
    store.put([made_image("a")])
    before = store.info(), store.checksum()

    assert store.put([made_image("a")]) == [PutOutcome.UNCHANGED]
    assert (store.info(), store.checksum()) == before


def test_other_content_under_the_same_id_is_a_conflict_that_changes_nothing(store: EmbeddedStore) -> None:
    store.put([made_image("a", 0.25)])
    outcomes = store.put([made_image("a", 0.75, content="other"), made_image("b")])

    assert outcomes == [PutOutcome.CONFLICT, PutOutcome.CREATED]
    record = store.get("a")
    assert record is not None
    assert record.probabilities["Edema"] == 0.25


def test_replacing_changes_numbers_and_pictures(store: EmbeddedStore) -> None:
    store.put([made_image("a", 0.25)])

    assert store.put([made_image("a", 0.75, content="other")], replace=True) == [PutOutcome.REPLACED]
    record = store.get("a")
    assert record is not None
    assert (record.probabilities["Edema"], record.generation) == (0.75, 2)
    assert store.thumbnail("a") == b"thumbnail of other"
    assert found_ids(store) == ["a"]


def test_a_deleted_image_is_gone_and_can_come_back(store: EmbeddedStore) -> None:
    store.put([made_image("a"), made_image("b")])

    assert store.delete("a")
    assert store.get("a") is None
    assert store.thumbnail("a") is None
    assert found_ids(store) == ["b"]
    assert store.put([made_image("a")]) == [PutOutcome.CREATED]
    assert store.thumbnail("a") is not None


def test_the_generation_counts_every_change_and_never_goes_back(store: EmbeddedStore, open_store: Open) -> None:
    store.put([made_image("a"), made_image("b")])
    store.delete("a")
    assert store.info().generation == 3
    store.close()
    with open_store() as again:
        assert again.info().generation == 3


def test_memory_equals_the_file_after_a_restart(store: EmbeddedStore, open_store: Open) -> None:
    rng = np.random.default_rng(1)
    store.put([made_image(f"i{n}", rng.random(14), patient_key=f"{n % 7:016}", patient_sex="M") for n in range(300)])
    store.put([made_image(f"i{n}", rng.random(14), content=f"new {n}") for n in range(50)], replace=True)
    for n in range(100, 130):
        store.delete(f"i{n}")
    query = Query(np.eye(14)[3], SearchOptions(k=1000, filters=SearchFilters(excluded_patient_keys=[f"{3:016}"])))
    before = store.info(), store.checksum(), store.search(query)
    store.close()

    with open_store() as again:
        assert (again.info(), again.checksum(), again.search(query)) == before
        assert again.info().size == 270


def test_the_checksum_does_not_depend_on_the_order_of_writes(tmp_path: Path) -> None:
    sums = []
    for name, order in (("one", "abc"), ("other", "cab")):
        with EmbeddedStore(tmp_path / name, WEIGHTS) as store:
            for image_id in order:
                store.put([made_image(image_id)])
            for image_id in "abc":  # the same generations in the end
                store.put([made_image(image_id, 0.75)], replace=True)
            sums.append(store.checksum())

    assert sums[0] == sums[1]


def test_a_second_process_is_refused_with_the_reason(store: EmbeddedStore, open_store: Open) -> None:
    with pytest.raises(StoreUnusable, match="open in another process"):
        open_store()
    store.put([made_image("a")])


def test_images_of_other_weights_are_never_mixed_in(store: EmbeddedStore, folder: Path, open_store: Open) -> None:
    with pytest.raises(ValueError, match="weights"):
        store.put([made_image("a").__class__(**{**vars(made_image("a")), "weights_sha256": "b" * 64})])
    store.put([made_image("a")])
    store.close()

    with pytest.raises(StoreUnusable, match="other encoder weights"):
        EmbeddedStore(folder, "b" * 64)
    with open_store() as again:
        again.delete("a")
    with EmbeddedStore(folder, "b" * 64) as emptied:
        assert emptied.info().size == 0


def test_a_full_disk_is_an_answer_and_loses_nothing(store: EmbeddedStore, open_store: Open) -> None:
    store.put([made_image("a")])
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(Unavailable, match="disk is full"):
        store.put([made_image(f"big-{n}", content=f"{n}" + "x" * 4000) for n in range(50)])

    assert found_ids(store) == ["a"]
    assert store.info().generation == 1
    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert store.put([made_image("b")]) == [PutOutcome.CREATED]
    checksum = store.checksum()
    store.close()
    with open_store() as again:
        assert found_ids(again) == ["a", "b"]
        assert again.checksum() == checksum


@pytest.mark.parametrize("place", [0, 30, 4096, 8192])
def test_a_damaged_file_is_refused_with_the_reason_and_left_alone(
    store: EmbeddedStore, folder: Path, open_store: Open, place: int
) -> None:
    store.put([made_image(f"i{n}", n / 100) for n in range(100)])
    store.close()
    file = folder / "index.sqlite3"
    damaged = bytearray(file.read_bytes())
    damaged[place : place + 2000] = b"\x5a" * 2000
    file.write_bytes(damaged)

    with pytest.raises(StoreUnusable, match=r"damaged|cannot be read"):
        open_store()
    assert file.read_bytes() == bytes(damaged)


def test_one_flipped_bit_in_a_probability_is_noticed(store: EmbeddedStore, folder: Path, open_store: Open) -> None:
    store.put([made_image(f"i{n}", 0.5) for n in range(10)])
    store.close()
    file = sqlite3.connect(folder / "index.sqlite3")
    changed = np.full(14, 0.5, dtype="<f4")
    changed[3] = np.nextafter(changed[3], np.float32(1))
    with file:
        file.execute("UPDATE images SET probabilities = ? WHERE image_id = 'i3'", (changed.tobytes(),))
    file.close()

    with pytest.raises(StoreUnusable, match="checksum"):
        open_store()


def test_a_file_of_a_later_version_is_refused(store: EmbeddedStore, folder: Path, open_store: Open) -> None:
    store.close()
    file = sqlite3.connect(folder / "index.sqlite3")
    file.execute("PRAGMA user_version = 99")
    file.close()

    with pytest.raises(StoreUnusable, match="version 99"):
        open_store()


def test_readers_see_what_stays_exactly_once_while_others_come_go_and_change(store: EmbeddedStore) -> None:
    staying = [f"stays-{n}" for n in range(20)]
    store.put([made_image(image_id, 0.5) for image_id in staying])
    done = threading.Event()

    def write() -> None:
        for n in range(150):
            store.put([made_image(f"comes-{n % 10}", n / 200, content=str(n))], replace=True)
            store.put([made_image(staying[n % 20], 0.25 + n / 400, content=str(n))], replace=True)
            store.delete(f"comes-{(n - 5) % 10}")
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    generations = []
    while not done.is_set():
        found = store.search(EVERYTHING)
        ids = [hit.record.image_id for hit in found.hits]
        generations.append(found.info.generation)
        assert sorted(image_id for image_id in ids if image_id.startswith("stays")) == sorted(staying)
        assert len(ids) == len(set(ids)) == found.info.size == found.candidates
    writer.join()

    assert generations == sorted(generations)
    assert len(set(generations)) > 3


def test_a_write_is_seen_by_the_next_read(store: EmbeddedStore) -> None:
    for n in range(30):
        store.put([made_image(f"i{n}")])
        assert f"i{n}" in found_ids(store)
        assert store.get(f"i{n}") is not None


def test_concurrent_writers_are_all_durable_and_counted(store: EmbeddedStore, open_store: Open) -> None:
    def write(worker: int) -> None:
        for n in range(25):
            assert store.put([made_image(f"w{worker}-{n}")]) == [PutOutcome.CREATED]

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checksum = store.checksum()
    store.close()
    with open_store() as again:
        assert (again.info().size, again.info().generation, again.checksum()) == (200, 200, checksum)


def test_nothing_is_written_on_top_of_what_did_not_get_into_memory(
    store: EmbeddedStore, open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(store._growing, "apply", out_of_memory)
    with pytest.raises(MemoryError):
        store.put([made_image("a")])
    with pytest.raises(Unavailable, match="restart"):
        store.put([made_image("b")])
    store.close()
    with open_store() as again:
        assert found_ids(again) == ["a"]


def test_a_write_that_is_being_published_is_no_trouble_for_the_next(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = store._growing.apply
    troubles: list[str | None] = []

    def asked_meanwhile(*args: object) -> None:
        troubles.append(store.write_trouble())
        apply(*args)

    monkeypatch.setattr(store._growing, "apply", asked_meanwhile)
    store.put([made_image("a")])
    assert troubles == [None]
