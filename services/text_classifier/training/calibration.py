"""Calibration and thresholds, fitted per label on the validation part."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from services.text_classifier.model_folder import DEFAULT_THRESHOLD, Calibration

PRIOR_STRENGTH = 2.0
"""Pull towards no change, in examples: rare labels would otherwise be fitted to a handful of texts."""

MIN_EXAMPLES = 8
_GRID = np.round(np.arange(0.2, 0.801, 0.01), 2)


def fit_calibration(log_odds: NDArray[np.float64], present: NDArray[np.bool_]) -> Calibration:
    """Platt scaling by maximum likelihood, with a prior at slope 1 and intercept 0."""
    if min(present.sum(), (~present).sum()) < MIN_EXAMPLES:
        return Calibration()

    def loss(parameters: NDArray[np.float64]) -> float:
        slope, intercept = parameters
        scaled = slope * log_odds + intercept
        likelihood = np.logaddexp(0, np.where(present, -scaled, scaled)).sum()
        return float(likelihood + PRIOR_STRENGTH * ((slope - 1) ** 2 + intercept**2))

    fitted = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.2, 5.0), (-5.0, 5.0)])
    return Calibration(*(round(float(value), 5) for value in fitted.x))


def best_threshold(probability: NDArray[np.float64], present: NDArray[np.bool_]) -> float:
    """The threshold of greatest F1; of all that are as good, the one nearest to one half."""
    if present.sum() < MIN_EXAMPLES:
        return DEFAULT_THRESHOLD
    scores = np.array([_f1(probability >= threshold, present) for threshold in _GRID])
    good = _GRID[scores >= scores.max() - 1e-3]
    return float(good[np.abs(good - DEFAULT_THRESHOLD).argmin()])


def _f1(called: NDArray[np.bool_], present: NDArray[np.bool_]) -> float:
    hits = (called & present).sum()
    return float(2 * hits / max(1, called.sum() + present.sum()))
