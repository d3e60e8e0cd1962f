"""Diverse orders: greedy, prefix-stable, and nothing but the plain ranking where no diversity is asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.image_index.ranking.diversity import diversified
from services.image_index.ranking.query import Query
from services.image_index.ranking.rank import rank
from services.image_index.store.embedded.growing import GrowingGallery
from services.image_index.store.row import Change, make_row
from shared.labels import LABELS
from shared.schemas.images import StoredMetadata
from shared.schemas.search import SearchOptions

N_LABELS = len(LABELS)
QUERY = np.eye(N_LABELS)[3] + np.eye(N_LABELS)[9]


def gallery_of(p, order=None, patients=None):
    growing = GrowingGallery()
    rows = [
        make_row(f"image-{n:04d}", p[n].astype(np.float32), StoredMetadata(patient_key=patients and patients[n]), 1)
        for n in (range(len(p)) if order is None else order)
    ]
    growing.apply([Change(row.image_id, row) for row in rows], generation=1)
    return growing.gallery


def some(images, seed=0, distinct=None):
    p = np.random.default_rng(seed).random((distinct or images, N_LABELS)) ** 3
    return p[np.random.default_rng(seed).integers(0, len(p), images)] if distinct else p


def found_by(gallery, **options):
    return gallery.image_ids(rank(gallery, Query(QUERY, SearchOptions(**options))).rows)


def likeness(one, other):
    either = np.maximum(one, other).sum()
    return np.minimum(one, other).sum() / either if either else 1.0


@given(
    images=st.integers(1, 30),
    distinct=st.integers(1, 30),
    seed=st.integers(0, 20),
    diversity=st.sampled_from([0.1, 0.5, 0.9, 1.0]),
)
@settings(deadline=None, max_examples=60)
def test_every_choice_is_the_best_of_what_is_left(*, images, distinct, seed, diversity):
    p = some(images, seed, distinct).T.astype(np.float32)
    scores = np.sort(np.round(np.random.default_rng(seed).random(images), 2))[::-1]
    order, _ = diversified(scores, p, diversity, images)
    assert sorted(order) == list(range(images))
    span = scores[0] - scores[-1]
    for count, chosen in enumerate(order):

        def value(image, before=tuple(order[:count])):
            relevance = (scores[image] - scores[-1]) / span if span else 1.0
            nearest = max((likeness(p[:, image].astype(float), p[:, one].astype(float)) for one in before), default=0.0)
            return (1 - diversity) * relevance - diversity * nearest

        assert value(chosen) >= max(map(value, order[count:])) - 1e-8


def test_copies_of_the_best_image_come_after_another_that_fits():
    gallery = gallery_of(np.stack([QUERY * 0.9, QUERY * 0.9, QUERY * 0.9, QUERY * 0.7, np.eye(N_LABELS)[0] * 0.9]))
    options = {"k": 3, "ranking": "cosine"}  # by which the first four fit entirely, and the last not at all
    assert found_by(gallery, **options) == ["image-0000", "image-0001", "image-0002"]
    assert found_by(gallery, diversity=0.3, **options) == ["image-0000", "image-0003", "image-0001"]


@pytest.mark.parametrize("ranking", ["label_set_posterior", "log_likelihood"])
@pytest.mark.parametrize("distinct", [None, 12])
def test_diverse_pages_put_together_are_the_whole_and_insertion_order_changes_nothing(ranking, distinct):
    p = some(1300, distinct=distinct)
    options = {"ranking": ranking, "diversity": 0.4}
    gallery = gallery_of(p)
    whole = found_by(gallery, k=60, **options)
    assert [image for o in range(0, 60, 20) for image in found_by(gallery, k=20, offset=o, **options)] == whole
    shuffled = gallery_of(p, np.random.default_rng(1).permutation(len(p)))
    assert found_by(shuffled, k=60, **options) == whole
    assert len(set(found_by(gallery, k=1000, **options))) == 1000


def test_the_slightest_diversity_keeps_the_order_of_images_whose_scores_differ():
    gallery = gallery_of(some(40))
    assert found_by(gallery, k=40, diversity=1e-9) == found_by(gallery, k=40)


def test_groups_are_formed_before_they_are_put_into_a_diverse_order():
    gallery = gallery_of(some(60, distinct=9), patients=list("abcde") * 12)
    found = rank(gallery, Query(QUERY, SearchOptions(k=10, diversity=0.5, group_by="patient")))
    heads = rank(gallery, Query(QUERY, SearchOptions(k=10, group_by="patient")))
    assert sorted(found.rows) == sorted(heads.rows)
    assert found.merged == [11] * 5


def test_those_that_could_as_well_be_last_are_counted():
    gallery = gallery_of(np.tile(QUERY * 0.8, (7, 1)))
    found = rank(gallery, Query(QUERY, SearchOptions(k=3, diversity=0.5)))
    assert (found.rows, found.ties_at_cutoff) == ([0, 1, 2], 4)


def test_nothing_found_stays_nothing():
    assert rank(gallery_of(some(20)), Query(QUERY, SearchOptions(diversity=0.5, min_score=2.0))).rows == []
