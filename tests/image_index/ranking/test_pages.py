"""Pages, groups and the least overlap: each is the plain ranking, cut or thinned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.image_index.ranking.query import Query
from services.image_index.ranking.rank import rank
from services.image_index.store.embedded.growing import GrowingGallery
from services.image_index.store.row import Change, make_row
from shared.labels import LABELS
from shared.schemas.images import StoredMetadata
from shared.schemas.search import SearchOptions

N_LABELS = len(LABELS)
QUERY = np.eye(N_LABELS)[3] + np.eye(N_LABELS)[9]
RANKINGS = ("label_set_posterior", "soft_jaccard")


def gallery_of(p, patients=None, group="patient"):
    field = {"patient": "patient_key", "study": "study_instance_uid"}[group]
    growing = GrowingGallery()
    patients = patients or [None] * len(p)
    rows = [
        make_row(f"image-{number:04d}", vector, StoredMetadata(**{field: patient}), 1)
        for number, (vector, patient) in enumerate(zip(p.astype(np.float32), patients, strict=True))
    ]
    growing.apply([Change(row.image_id, row) for row in rows], generation=1)
    return growing.gallery


def some(images, seed=0, distinct=None):
    p = np.random.default_rng(seed).random((distinct or images, N_LABELS)) ** 3
    return p[np.random.default_rng(seed).integers(0, len(p), images)] if distinct else p


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("distinct", [None, 12])
def test_pages_put_together_are_the_whole_ranking(ranking, distinct):
    gallery = gallery_of(some(200, distinct=distinct))
    whole = rank(gallery, Query(QUERY, SearchOptions(k=200, ranking=ranking)))
    pages = [
        rank(gallery, Query(QUERY, SearchOptions(k=30, offset=offset, ranking=ranking))) for offset in range(0, 210, 30)
    ]
    assert [row for page in pages for row in page.rows] == whole.rows
    assert [value for page in pages for value in page.exact] == whole.exact
    assert rank(gallery, Query(QUERY, SearchOptions(k=5, offset=500, ranking=ranking))).rows == []


@given(
    seed=st.integers(0, 50),
    patients=st.lists(st.sampled_from([None, "1", "2", "3", "4"]), min_size=1, max_size=60),
    k=st.integers(1, 8),
    offset=st.integers(0, 4),
    ranking=st.sampled_from(RANKINGS),
    group_by=st.sampled_from(["image", "study", "patient"]),
    min_score=st.sampled_from([None, 0.05, 0.2]),
)
@settings(deadline=None, max_examples=80)
def test_of_each_group_only_the_best_image_is_shown(*, seed, patients, k, offset, ranking, group_by, min_score):
    alone = group_by == "image"
    gallery = gallery_of(some(len(patients), seed, distinct=7), patients, "patient" if alone else group_by)
    whole = rank(gallery, Query(QUERY, SearchOptions(k=len(patients), ranking=ranking, min_score=min_score)))
    expected, seen = [], set()
    for row, score in zip(whole.rows, whole.scores, strict=True):
        if alone or patients[row] is None or patients[row] not in seen:
            expected.append((row, score))
            seen.add(patients[row])
    query = Query(QUERY, SearchOptions(k=k, offset=offset, group_by=group_by, ranking=ranking, min_score=min_score))
    found = rank(gallery, query)
    assert list(zip(found.rows, found.scores, strict=True)) == expected[offset : offset + k]
    if found.rows and len(expected) >= offset + k:
        last = expected[offset + k - 1][1]
        assert found.ties_at_cutoff == sum(score == last for _, score in expected[offset + k :])
    counts = [0 if alone or patients[row] is None else patients.count(patients[row]) - 1 for row in found.rows]
    assert found.merged == counts


def test_images_that_do_not_pass_are_not_counted_among_those_that_one_stands_for():
    p = np.tile(QUERY, (6, 1))
    passing = np.array([True, True, True, False, True, True])
    found = rank(
        gallery_of(p, ["a", "a", "a", "a", None, "b"]), Query(QUERY, SearchOptions(k=5, group_by="patient")), passing
    )
    assert (found.rows, found.merged) == ([0, 4, 5], [2, 0, 0])


def test_many_images_of_one_patient_do_not_hide_the_others():
    p = np.concatenate([np.tile(QUERY * 0.9, (500, 1)), some(5)])
    found = rank(gallery_of(p, ["one"] * 500 + list("abcde")), Query(QUERY, SearchOptions(k=4, group_by="patient")))
    assert found.rows[0] == 0
    assert len(set(found.rows)) == 4
    assert min(found.rows[1:]) >= 500


@pytest.mark.parametrize("ranking", RANKINGS)
def test_images_of_which_little_overlap_is_to_be_expected_are_left_out(ranking):
    gallery = gallery_of(some(300))
    whole = rank(gallery, Query(QUERY, SearchOptions(k=300, ranking=ranking)))
    least = sorted(whole.overlaps)[150]  # exactly the overlap of one image
    found = rank(gallery, Query(QUERY, SearchOptions(k=300, ranking=ranking, min_overlap=least)))
    kept = [row for row, overlap in zip(whole.rows, whole.overlaps, strict=True) if overlap >= least]
    assert found.rows == kept
    assert found.candidates == 300


def test_where_no_image_is_alike_nothing_is_found():
    assert rank(gallery_of(some(50)), Query(QUERY, SearchOptions(k=5, min_overlap=1.0))).rows == []
