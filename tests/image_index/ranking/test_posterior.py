"""The posterior against Bayes' rule written out over whole label sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.image_index.ranking.posterior import MOST_READINGS, expected_overlap, match, posterior, readings
from services.image_index.ranking.prior import LabelSetPrior, count_label_sets, shipped_prior
from shared.labels import LABELS

PRIOR = shipped_prior()


def evidence_of(images, seed=0, scale=1.5):
    return np.random.default_rng(seed).normal(0, scale, (len(LABELS), images))


def query_of(*names, **weights):
    return np.array([1.0 if label in names else weights.get(label, 0.0) for label in LABELS])


def bayes(evidence, prior, sets):
    """(N, S) the probability of each set for each image, by normalising over `sets` with numpy's matrix product."""
    logs = evidence.T @ sets.T + prior.log_frequencies_of(sets)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def test_a_listed_query_gets_its_share_of_all_listed_sets():
    evidence = evidence_of(500)
    images = posterior(evidence, PRIOR)
    weights = bayes(evidence, PRIOR, PRIOR.sets)
    np.testing.assert_allclose(images.marginals.T, weights @ PRIOR.sets, atol=1e-12)
    for place in (0, 1, 17, 141):
        found = match(images, readings(PRIOR.sets[place], PRIOR))
        np.testing.assert_allclose(found.exact, weights[:, place], atol=1e-12)


def test_an_unlisted_query_joins_the_list():
    query = query_of("Fracture", "Edema", "Pleural Other", "Pneumothorax")
    assert PRIOR.positions(query[None])[0] == -1
    evidence = evidence_of(300, scale=4)
    weights = bayes(evidence, PRIOR, np.vstack([PRIOR.sets, query]))
    found = match(posterior(evidence, PRIOR), readings(query, PRIOR))
    np.testing.assert_allclose(found.exact, weights[:, -1], atol=1e-12)
    marginals = weights @ np.vstack([PRIOR.sets, query])
    shared = marginals @ query
    np.testing.assert_allclose(found.overlap, shared / (4 + marginals.sum(axis=1) - shared), atol=1e-12)


@pytest.mark.parametrize(
    "query",
    [
        query_of("Edema"),
        query_of("Lung Opacity", Pneumonia=0.4, Edema=0.2),
        query_of("Fracture", "Edema", "Pleural Other", "Pneumothorax"),
        np.zeros(len(LABELS)),
    ],
)
def test_the_expected_overlap_is_the_mean_over_all_sets_of_their_overlaps(query):
    evidence, meant = evidence_of(80, scale=3), readings(query, PRIOR)
    sets = np.unique(np.vstack([PRIOR.sets, meant.sets]), axis=0)
    weights = bayes(evidence, PRIOR, sets)

    def overlap(one, other):
        union = np.maximum(one, other).sum()
        return np.minimum(one, other).sum() / union if union else 1.0

    mean = [sum(a * overlap(one, s) for one, a in zip(meant.sets, meant.weights, strict=True)) for s in sets]
    found = expected_overlap(posterior(evidence, PRIOR), meant, PRIOR)
    np.testing.assert_allclose(found, weights @ np.array(mean), atol=1e-12)


def test_an_uncertain_label_is_a_weighted_mean_of_both_readings():
    evidence = evidence_of(200)
    images = posterior(evidence, PRIOR)
    query = query_of("Lung Opacity", Pneumonia=0.3)
    with_it, without = query_of("Lung Opacity", "Pneumonia"), query_of("Lung Opacity")
    mixed = match(images, readings(query, PRIOR)).exact
    one, other = (match(images, readings(sure, PRIOR)).exact for sure in (with_it, without))
    np.testing.assert_allclose(mixed, 0.3 * one + 0.7 * other, atol=1e-12)


def test_a_query_that_weighs_something_never_means_nothing():
    kept = readings(query_of(Edema=0.2), PRIOR)
    np.testing.assert_array_equal(kept.sets, [query_of("Edema")])
    assert kept.weights.tolist() == [1.0]


def test_of_many_readings_the_most_probable_are_kept():
    weights = np.linspace(0.05, 0.95, len(LABELS))
    kept = readings(weights, PRIOR)
    assert len(kept.sets) == MOST_READINGS
    assert kept.weights.sum() == pytest.approx(1)
    every = np.array(np.meshgrid(*[[0.0, 1.0]] * len(LABELS))).reshape(len(LABELS), -1).T
    probabilities = np.prod(np.where(every > 0, weights, 1 - weights), axis=1)
    best = np.sort(probabilities)[::-1][:MOST_READINGS]
    np.testing.assert_allclose(np.sort(kept.weights)[::-1], best / best.sum())


def test_no_label_at_all_is_the_set_without_findings():
    evidence = evidence_of(100)
    nothing = np.zeros(len(LABELS))
    found = match(posterior(evidence, PRIOR), readings(nothing, PRIOR))
    place = int(PRIOR.positions(nothing[None])[0])
    np.testing.assert_allclose(found.exact, bayes(evidence, PRIOR, PRIOR.sets)[:, place], atol=1e-12)
    np.testing.assert_array_equal(found.score, found.exact)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(0, 5))
def test_an_image_scores_the_same_whatever_stands_beside_it(images, seed):
    evidence = evidence_of(images, seed)
    query = readings(query_of("Edema", Pneumonia=0.5), PRIOR)
    together = match(posterior(evidence, PRIOR), query).score
    order = np.random.default_rng(seed).permutation(images)
    shuffled = match(posterior(evidence[:, order], PRIOR), query).score
    np.testing.assert_array_equal(shuffled, together[order])
    alone = [match(posterior(evidence[:, [i]], PRIOR), query).score[0] for i in range(images)]
    np.testing.assert_array_equal(together, alone)


def test_scores_are_probabilities_even_for_extreme_evidence():
    evidence = np.concatenate([evidence_of(50, scale=15), np.full((len(LABELS), 1), 27.0)], axis=1)
    for query in (query_of("No Finding"), query_of(*LABELS), query_of(Pneumothorax=0.01)):
        found = match(posterior(evidence, PRIOR), readings(query, PRIOR))
        for values in (found.exact, found.overlap, found.score):
            assert np.isfinite(values).all()
            assert values.min() >= 0
            assert values.max() <= 1 + 1e-12


def test_without_evidence_the_posterior_is_the_prior():
    images = posterior(np.zeros((len(LABELS), 1)), PRIOR)
    listed = np.exp(PRIOR.log_frequencies)
    np.testing.assert_allclose(images.marginals[:, 0], listed @ PRIOR.sets / listed.sum(), atol=1e-12)


def test_a_prior_may_hold_one_set_only():
    prior: LabelSetPrior = count_label_sets([[1] + [0] * 13])
    found = match(posterior(evidence_of(5), prior), readings(query_of("Atelectasis"), prior))
    np.testing.assert_allclose(found.exact, 1.0)
