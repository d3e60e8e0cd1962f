import numpy as np
import pytest

from services.text_classifier.training.calibration import fit_calibration, fit_threshold


def test_calibration_undoes_a_model_that_is_too_sure():
    rng = np.random.default_rng(0)
    odds = rng.normal(-1, 2, 20_000)
    true = rng.random(20_000) < 1 / (1 + np.exp(-odds))
    fit = fit_calibration(3 * odds + 1, true)
    assert fit.slope == pytest.approx(1 / 3, abs=0.02)
    assert fit.intercept == pytest.approx(-1 / 3, abs=0.05)
    assert (round(fit.slope, 5), round(fit.intercept, 5)) == (fit.slope, fit.intercept)


def test_a_label_with_hardly_an_example_is_left_as_it_is():
    true = np.zeros(100, bool)
    true[:3] = True
    assert fit_calibration(np.linspace(-3, 3, 100), true).slope == 1
    assert fit_threshold(np.linspace(0, 1, 100), true) == 0.5


def test_a_threshold_that_does_hardly_worse_is_taken_where_it_is_nearer_to_a_half():
    probability = np.array([0.1] * 5000 + [0.3] * 2 + [0.9] * 2000)
    true = probability > 0.2
    true[5000] = False  # of the two at 0.3, one is present: F1 0.9998 at 0.3, 0.99975 at 0.5
    assert fit_threshold(probability, true) == 0.5
