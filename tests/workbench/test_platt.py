"""Calibration by known logistic curves, as drawn by the priors of both services."""

import numpy as np
import pytest

from services.workbench.platt import Platt, fit_platt

TEXTS, PICTURES = (4.0, 4.0), (10.0, 1e-6)
RNG = np.random.default_rng(0)


def drawn(logits: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    return RNG.random(len(logits)) < Platt(slope, intercept)(logits)


@pytest.mark.parametrize("pull", [TEXTS, PICTURES])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("slope", "intercept"), [(0.6, -1.5), (1 / 3, -1 / 3), (2.0, 1.0)])
def test_a_known_curve_is_recovered(pull, dtype, slope, intercept):
    logits = RNG.normal(0.0, 2.0, 20_000).astype(dtype)
    truth = drawn(logits, slope, intercept)
    platt = fit_platt(logits, truth, pull=pull)
    assert platt.slope == pytest.approx(slope, abs=0.06)
    assert platt.intercept == pytest.approx(intercept, abs=0.06)
    assert platt(logits).mean() == pytest.approx(truth.mean(), abs=0.002)


@pytest.mark.parametrize("pull", [TEXTS, PICTURES])
@pytest.mark.parametrize("rare", [0, 1, 3, 200])
@pytest.mark.parametrize(("centre", "spread"), [(0.0, 1.0), (-6.0, 5.0), (4.0, 8.0)])
def test_nothing_is_likelier_however_far_the_logits_lie(pull, rare, centre, spread):
    """The penalised likelihood's slope is nought there; full steps of Newton's method would leap to and fro."""
    logits = RNG.normal(centre, spread, 1000)
    truth = np.arange(1000) < rare
    platt = fit_platt(logits, truth, pull=pull)
    gap = platt(logits) - truth
    assert gap @ logits + pull[0] * (platt.slope - 1.0) == pytest.approx(0.0, abs=1e-4)
    assert gap.sum() + pull[1] * platt.intercept == pytest.approx(0.0, abs=1e-4)


def test_few_positives_turn_the_slope_less_where_more_pull_is():
    logits = np.linspace(-3, 3, 60)
    truth = np.arange(60) < 2  # the two least likely ones
    slopes = [fit_platt(logits, truth, pull=(pull, 1e-6)).slope for pull in (1.0, 10.0, 1000.0)]
    assert slopes == sorted(slopes)
    assert slopes[-1] == pytest.approx(1.0, abs=0.05)


def test_without_examples_nothing_is_changed():
    assert fit_platt(np.array([]), np.array([]), pull=PICTURES) == Platt()


def test_no_logit_is_too_large():
    np.testing.assert_array_equal(Platt()(np.array([-1e6, 0.0, 1e6])), [0.0, 0.5, 1.0])
