import numpy as np

from services.image_index.ranking.gallery import Gallery
from services.image_index.store.embedded.growing import GrowingGallery
from services.image_index.store.row import Change, make_row
from shared.labels import LABELS
from shared.schemas.images import StoredMetadata
from tests.image_index.ranking.fusions import fusion


def row(image_id: str, value: float, generation: int = 1) -> Change:
    vector = np.full(len(LABELS), value, dtype=np.float32)
    return Change(image_id, make_row(image_id, vector, StoredMetadata(patient_age=value), generation))


def seen(gallery: Gallery) -> dict[str, float]:
    rows = gallery.rows()
    return dict(zip(gallery.image_ids(rows), gallery.probabilities[0, rows].tolist(), strict=True))


def test_a_gallery_stays_as_it_was_whatever_is_written_later() -> None:
    growing = GrowingGallery()
    growing.apply([row("a", 0.25), row("b", 0.5)], 2)
    before = growing.gallery
    growing.apply([row("a", 0.75), Change("b", None), row("c", 1)], 5)
    for number in range(5000):
        growing.apply([row(f"more-{number}", 0.125)], 6 + number)

    assert seen(before) == {"a": 0.25, "b": 0.5}
    assert (before.size, before.generation) == (2, 2)
    assert seen(growing.gallery)["a"] == 0.75
    assert "b" not in seen(growing.gallery)
    assert growing.gallery.size == 5002


def test_the_last_of_several_changes_of_one_image_counts() -> None:
    growing = GrowingGallery()
    growing.apply([row("a", 0.25), row("a", 0.5), row("b", 1), Change("b", None)], 4)

    assert seen(growing.gallery) == {"a": 0.5}


def test_rows_of_replaced_images_are_left_behind_in_time() -> None:
    growing = GrowingGallery()
    growing.apply([row(f"i{number}", 0.5) for number in range(10)], 10)
    for number in range(5000):
        growing.apply([row(f"i{number % 10}", 0.5 + (number % 2) / 4)], 11 + number)

    assert growing.gallery.probabilities.shape[1] < 3000
    assert growing.gallery.size == len(seen(growing.gallery)) == 10
    assert growing.gallery.statistics.mean.tolist() == [np.mean(list(seen(growing.gallery).values()))] * len(LABELS)


def test_what_is_usual_of_a_gallery_is_told_by_all_but_its_lateral_views() -> None:
    rng = np.random.default_rng(3)
    p = rng.random((60, len(LABELS))).astype(np.float32)
    changes = []
    for number, vector in enumerate(p):
        view = "LATERAL" if number % 3 == 0 else None
        changes.append(Change(f"i{number}", make_row(f"i{number}", vector, StoredMetadata(view_position=view), 1)))
    both, frontal = GrowingGallery(), GrowingGallery()
    both.apply(changes, 1)
    frontal.apply([change for number, change in enumerate(changes) if number % 3], 1)
    for growing in (both, frontal):
        growing.apply([Change("i0", None), Change("i1", None), row("more", 0.5)], 2)

    assert (both.gallery.size, frontal.gallery.size) == (59, 40)
    for name in ("images", "mean", "center", "spread"):
        assert np.array_equal(getattr(both.gallery.statistics, name), getattr(frontal.gallery.statistics, name)), name
    binary = [
        growing.gallery.binarized(np.full(len(LABELS), 0.5), fusion("image")).statistics for growing in (both, frontal)
    ]
    assert np.array_equal(binary[0].mean, binary[1].mean)
