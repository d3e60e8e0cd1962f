import numpy as np
import pytest
from sklearn.metrics import f1_score

from services.workbench.thresholds import best_threshold, between

pytestmark = pytest.mark.slow

HUNDREDTHS = np.round(np.arange(0.2, 0.801, 0.01), 2)
RNG = np.random.default_rng(2)


def test_of_all_that_are_as_good_it_is_the_one_nearest_to_a_half():
    probability = np.array([0.1] * 50 + [0.3] * 10 + [0.9] * 10)
    true = np.array([False] * 50 + [True] * 20)
    assert best_threshold(probability, true, HUNDREDTHS) == 0.3
    assert best_threshold(probability, probability > 0.5, HUNDREDTHS) == 0.5


@pytest.mark.parametrize("candidates", [HUNDREDTHS, between(np.array([0.1, 0.2, 0.3, 0.7, 0.9]), 0.02, 0.98)])
def test_it_separates_what_can_be_separated(candidates):
    probabilities = np.array([0.1, 0.2, 0.3, 0.7, 0.9])
    assert best_threshold(probabilities, probabilities > 0.5, candidates) == pytest.approx(0.5)


@pytest.mark.parametrize("slack", [0.0, 1e-3, 0.05])
@pytest.mark.parametrize("digits", [1, 2, 16])
def test_its_f1_is_that_of_the_best_candidate(slack, digits):
    """Of scikit-learn, one candidate at a time; with many equal probabilities, and with none."""
    probabilities = np.round(RNG.beta(0.5, 2, 300), digits)
    present = RNG.random(300) < probabilities
    for candidates in (HUNDREDTHS, between(probabilities, 0.02, 0.98)):
        f1 = np.array([f1_score(present, probabilities >= one, zero_division=0) for one in candidates])
        good = candidates[f1 >= f1.max() - slack]
        found = best_threshold(probabilities, present, candidates, slack=slack)
        assert found in good
        assert abs(found - 0.5) == np.abs(good - 0.5).min()


def test_candidates_between_part_the_probabilities_in_every_way_within_the_limits():
    probabilities = np.array([0.3, 0.1, 0.3, 0.9, 0.999], dtype=np.float32)
    np.testing.assert_allclose(between(probabilities, 0.1, 0.9), [0.1, 0.2, 0.6, 0.9])


def test_where_nothing_is_present_it_is_one_half():
    assert best_threshold(np.array([0.1, 0.2]), np.zeros(2, bool), np.array([0.15])) == 0.5
    assert best_threshold(np.array([]), np.zeros(0, bool), between(np.array([]), 0.02, 0.98)) == 0.5
