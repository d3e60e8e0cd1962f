"""Calibration and thresholds, fitted per label on the validation part."""

import numpy as np
from numpy.typing import NDArray

from services.workbench.platt import Platt, fit_platt
from services.workbench.thresholds import ONE_HALF, best_threshold

PULL = (4.0, 4.0)
"""Of slope and intercept towards no change: rare labels would otherwise be fitted to a handful of texts."""

MIN_EXAMPLES = 8
_GRID = np.round(np.arange(0.2, 0.801, 0.01), 2)
_SLACK = 1e-3


def fit_calibration(log_odds: NDArray[np.float64], present: NDArray[np.bool_]) -> Platt:
    """To five places. Without enough texts of either kind, nothing is changed."""
    if min(present.sum(), (~present).sum()) < MIN_EXAMPLES:
        return Platt()
    fitted = fit_platt(log_odds, present, pull=PULL)
    return Platt(round(fitted.slope, 5), round(fitted.intercept, 5))


def fit_threshold(probability: NDArray[np.float64], present: NDArray[np.bool_]) -> float:
    """In hundredths, and not far from one half: few texts lie between, so that many thresholds do as well."""
    if present.sum() < MIN_EXAMPLES:
        return ONE_HALF
    return best_threshold(probability, present, _GRID, slack=_SLACK)
