"""The closed forms against the mean over every order of tied items."""

from itertools import groupby, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from services.image_index.evaluation.retrieval import ties


def every_order(scores):
    """All equally likely orders of a ranking, as lists of positions."""
    ranked = sorted(range(len(scores)), key=lambda i: -scores[i])
    tied = [list(group) for _, group in groupby(ranked, key=lambda i: scores[i])]
    for choice in product(*(permutations(group) for group in tied)):
        yield [i for group in choice for i in group]


def average_precision_of(relevant):
    hits = [position for position, one in enumerate(relevant, 1) if one]
    return sum(n / position for n, position in enumerate(hits, 1)) / len(hits) if hits else 0.0


def reciprocal_rank_of(relevant):
    return next((1 / position for position, one in enumerate(relevant, 1) if one), 0.0)


def discounted_gain_of(gains):
    return sum(gain / np.log2(1 + position) for position, gain in enumerate(gains, 1))


@st.composite
def small_rankings(draw):
    size = draw(st.integers(1, 6))
    values = draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    relevant = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    gains = draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=size, max_size=size))
    return np.array(values, float), np.array(relevant, float), np.array(gains), draw(st.integers(1, 7))


@settings(deadline=None)
@given(small_rankings())
def test_closed_forms_are_the_mean_over_every_order_of_tied_items(ranking):
    scores, relevant, gains, k = ranking
    orders = [np.array(order) for order in every_order(scores)]
    order = np.argsort(-scores, kind="stable")
    tied = ties.groups(scores[order])

    def expected(figure):
        return pytest.approx(np.mean([figure(one) for one in orders]), abs=1e-12)

    assert ties.hit_at_k(tied, relevant[order], k) == expected(lambda o: relevant[o][:k].any())
    assert ties.mean_at_k(tied, gains[order], k) == expected(lambda o: gains[o][:k].mean())
    assert ties.discounted_gain(tied, gains[order], k) == expected(lambda o: discounted_gain_of(gains[o][:k]))
    assert ties.average_precision(tied, relevant[order]) == expected(lambda o: average_precision_of(relevant[o]))
    assert ties.reciprocal_rank(tied, relevant[order]) == expected(lambda o: reciprocal_rank_of(relevant[o]))


def test_without_ties_average_precision_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores, relevant = rng.random(200), rng.random(200) < 0.1
        order = np.argsort(-scores)
        mine = ties.average_precision(ties.groups(scores[order]), relevant[order].astype(float))
        assert mine == pytest.approx(average_precision_score(relevant, scores), abs=1e-12)


def test_ndcg_with_tied_scores_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    for _ in range(20):
        scores, gains = rng.integers(0, 5, 60).astype(float), rng.random(60)
        order = np.argsort(-scores, kind="stable")
        mine = ties.discounted_gain(ties.groups(scores[order]), gains[order], 5) / ties.ideal_gain(gains, 5)
        assert mine == pytest.approx(ndcg_score([gains], [scores], k=5), abs=1e-12)


def test_a_large_tied_group_neither_overflows_nor_slows_down():
    relevant = np.zeros(200_000)
    relevant[:2000] = 1.0
    tied = ties.groups(np.zeros(200_000))
    assert ties.hit_at_k(tied, relevant, 5) == pytest.approx(1 - 0.99**5, abs=1e-4)
    assert ties.average_precision(tied, relevant) == pytest.approx(0.01, abs=1e-3)
    assert 0.01 < ties.reciprocal_rank(tied, relevant) < 0.06
