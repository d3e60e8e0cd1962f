"""Calibration and thresholds, fitted per label on the validation part."""

import numpy as np
from numpy.typing import NDArray

from services.text_classifier.reading.model_folder import DEFAULT_THRESHOLD, Calibration

PRIOR_STRENGTH = 2.0
"""Pull towards no change, in examples: rare labels would otherwise be fitted to a handful of texts."""

MIN_EXAMPLES = 8
_NO_CHANGE = np.array([1.0, 0.0])  # slope, intercept
_GRID = np.round(np.arange(0.2, 0.801, 0.01), 2)


def fit_calibration(log_odds: NDArray[np.float64], present: NDArray[np.bool_]) -> Calibration:
    """Platt scaling by maximum likelihood, with a prior at slope 1 and intercept 0.

    Newton's method, with steps halved until they gain: the loss is convex, and the prior makes it strictly so.
    """
    if min(present.sum(), (~present).sum()) < MIN_EXAMPLES:
        return Calibration()
    features = np.stack((log_odds, np.ones_like(log_odds)), axis=1)  # (N, 2)

    def loss(parameters: NDArray[np.float64]) -> float:
        scaled = features @ parameters
        likelihood = np.logaddexp(0, np.where(present, -scaled, scaled)).sum()
        return float(likelihood + PRIOR_STRENGTH * ((parameters - _NO_CHANGE) ** 2).sum())

    fitted = _NO_CHANGE
    for _ in range(50):
        chance = 0.5 * (1 + np.tanh(0.5 * features @ fitted))
        gradient = features.T @ (chance - present) + 2 * PRIOR_STRENGTH * (fitted - _NO_CHANGE)
        curvature = (features.T * (chance * (1 - chance))) @ features + 2 * PRIOR_STRENGTH * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while np.abs(step).max() > 1e-9 and loss(fitted - step) > loss(fitted):
            step = step / 2
        fitted = fitted - step
    slope, intercept = fitted
    return Calibration(round(float(slope), 5), round(float(intercept), 5))


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
