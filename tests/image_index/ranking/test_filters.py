import numpy as np
import pytest

from services.image_index.ranking.filters import passing
from services.image_index.ranking.gallery import Gallery
from services.image_index.store.embedded.growing import GrowingGallery
from services.image_index.store.row import Change, make_row
from shared.labels import LABELS
from shared.schemas.images import StoredMetadata
from shared.schemas.search import Excluded, SearchFilters

K1, K2, K3 = ("0123456789abcde" + last for last in "123")
IMAGES = {
    "a": StoredMetadata(view_position="PA", patient_sex="F", patient_age=40, study_instance_uid="1.1", patient_key=K1),
    "b": StoredMetadata(
        view_position="AP", patient_sex="M", patient_age=70.5, study_instance_uid="1.2", patient_key=K1
    ),
    "c": StoredMetadata(
        view_position="LATERAL", patient_sex="O", patient_age=1, study_instance_uid="1.3", patient_key=K2
    ),
    "d": StoredMetadata(),
}


@pytest.fixture
def gallery() -> Gallery:
    growing = GrowingGallery()
    rows = [
        make_row(image_id, np.full(len(LABELS), 0.2 * (place + 1), dtype=np.float32), metadata, place)
        for place, (image_id, metadata) in enumerate(IMAGES.items())
    ]
    growing.apply([Change(row.image_id, row) for row in rows], len(rows))
    return growing.gallery


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abd"),
        ({"include_laterals": True}, "abcd"),
        ({"view_position": ["LATERAL"]}, "c"),
        ({"view_position": ["LATERAL", "AP"]}, "bc"),
        ({"view_position": ["PA"], "include_laterals": True}, "a"),
        ({"view_position": ["PA"]}, "a"),
        ({"view_position": ["PA", "AP"]}, "ab"),
        ({"patient_sex": ["M", "O"]}, "b"),
        ({"age_min": 40}, "ab"),
        ({"age_max": 40}, "a"),
        ({"age_min": 1, "age_max": 40, "include_laterals": True}, "ac"),
        ({"required_labels": {"Edema": 0.6}}, "d"),
        ({"excluded_labels": {"Edema": 0.6}}, "ab"),
        ({"required_labels": {"Edema": 0.3}, "excluded_labels": {"Fracture": 0.7}}, "b"),
        ({"excluded_image_ids": ["b", "unknown"]}, "ad"),
        ({"excluded_study_uids": ["1.2", "9.9"]}, "ad"),
        ({"excluded_patient_keys": [K1]}, "d"),
        ({"view_position": ["PA"], "patient_sex": ["M"]}, ""),
    ],
)
def test_an_image_passes_where_every_condition_holds(
    gallery: Gallery, filters: dict[str, object], expected: str
) -> None:
    mask, _excluded = passing(gallery, SearchFilters(**filters))

    assert "".join(gallery.image_ids(gallery.rows(mask))) == expected


def test_patient_ids_in_the_clear_are_not_searched_with(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="hashed"):
        passing(gallery, SearchFilters(excluded_patient_ids=["MRN-1"]))


def test_a_patient_is_left_out_under_any_of_the_keys_that_it_may_have(gallery: Gallery) -> None:
    mask, excluded = passing(gallery, SearchFilters(include_laterals=True), [{K3, K1}, {K3}])

    assert "".join(gallery.image_ids(gallery.rows(mask))) == "cd"
    assert excluded == Excluded(asked=2, matched=1, unmatched={"excluded_patient_ids": 1})


@pytest.mark.parametrize(
    ("filters", "asked", "unmatched"),
    [
        ({"excluded_image_ids": ["a", "x", "y"]}, 3, {"excluded_image_ids": 2}),
        (
            {"excluded_study_uids": ["1.1", "9.9"], "excluded_patient_keys": [K3]},
            3,
            {"excluded_study_uids": 1, "excluded_patient_keys": 1},
        ),
        ({"excluded_patient_keys": [K1, K2], "excluded_image_ids": ["d"]}, 3, {}),
        ({"excluded_patient_keys": [K1, K1]}, 2, {}),
    ],
)
def test_what_is_not_there_to_be_left_out_is_told(
    gallery: Gallery, filters: dict[str, list[str]], asked: int, unmatched: dict[str, int]
) -> None:
    _mask, excluded = passing(gallery, SearchFilters(**filters))

    assert excluded == Excluded(asked=asked, matched=asked - sum(unmatched.values()), unmatched=unmatched)


def test_nothing_is_told_where_nothing_was_to_be_left_out(gallery: Gallery) -> None:
    assert passing(gallery, SearchFilters()).excluded is None
    assert passing(gallery, SearchFilters(include_laterals=True)) == (None, None)
    assert passing(gallery, SearchFilters(view_position=["PA"])).excluded is None


def test_what_was_deleted_is_not_there_to_be_left_out() -> None:
    growing = GrowingGallery()
    row = make_row("a", np.full(len(LABELS), 0.5, dtype=np.float32), StoredMetadata(patient_key=K1), 1)
    growing.apply([Change("a", row)], 1)
    before = growing.gallery
    growing.apply([Change("a", None)], 2)
    filters = SearchFilters(excluded_image_ids=["a"], excluded_patient_keys=[K1])

    assert [passing(gallery, filters).excluded.matched for gallery in (before, growing.gallery)] == [2, 0]


@pytest.mark.parametrize("selectivity", [0.0001, 0.01, 0.5])
def test_every_image_that_passes_is_found_however_few_there_are(selectivity: float) -> None:
    rng = np.random.default_rng(1)
    p = rng.random((20_000, len(LABELS))).astype(np.float32)
    growing = GrowingGallery()
    growing.load([[make_row(f"i{n}", row, StoredMetadata(), n) for n, row in enumerate(p)]], len(p))
    mask, _excluded = passing(growing.gallery, SearchFilters(required_labels={"Edema": 1 - selectivity}))

    assert set(growing.gallery.rows(mask)) == set(
        np.flatnonzero(p[:, LABELS.index("Edema")] >= np.float32(1 - selectivity))
    )


def test_where_no_view_is_lateral_a_search_passes_everything_without_looking() -> None:
    growing = GrowingGallery()
    row = make_row("a", np.full(len(LABELS), 0.5, dtype=np.float32), StoredMetadata(view_position="OTHER"), 1)
    growing.apply([Change("a", row)], 1)

    assert passing(growing.gallery, SearchFilters()).mask is None


def test_laterals_that_were_deleted_do_not_come_back(gallery: Gallery) -> None:
    growing = GrowingGallery()
    for place, (image_id, metadata) in enumerate(IMAGES.items()):
        row = make_row(image_id, np.full(len(LABELS), 0.5, dtype=np.float32), metadata, place)
        growing.apply([Change(image_id, row)], place)
    growing.apply([Change("a", None)], 9)
    mask, _excluded = passing(growing.gallery, SearchFilters())

    assert growing.gallery.image_ids(growing.gallery.rows(mask)) == ["b", "d"]
