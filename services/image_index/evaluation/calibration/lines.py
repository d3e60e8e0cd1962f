"""Fits what the encoder's log-odds mean: of each label a line, drawn to the slope that all labels have in common.

A rare label alone would give a slope that is mostly chance. So each is fitted with a normal prior around the common
slope, as wide as the labels' own slopes differ beyond chance (empirical Bayes; the common slope and the width by
DerSimonian and Laird, Controlled Clinical Trials 1986).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.workbench.platt import fit_platt

_ALONE = (0.1, 0.01)  # precisions that keep a label of hardly any cases finite, and say nothing beside a few
_LEAST_SLOPE = 0.05
_LEAST_WIDTH = 0.05


@dataclass(frozen=True, eq=False)
class Lines:
    """(14,) each: a label is present with the log-odds slope · log-odds of the encoder + intercept; how often it is."""

    slopes: Vector
    intercepts: Vector
    rates: Vector

    def log_odds(self, encoders: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 14) -> (N, 14)."""
        return encoders * self.slopes + self.intercepts


def fit_lines(encoders: NDArray[np.float64], stated: NDArray[np.floating]) -> Lines:
    """(N, 14) each: log-odds; 1, 0, or NaN where it is not known."""
    known = [np.flatnonzero(~np.isnan(column)) for column in stated.T]
    cases = [(encoders[rows, label], stated[rows, label]) for label, rows in enumerate(known)]
    alone = [_fitted(x, y, 1.0, _ALONE[0]) for x, y in cases]
    variances = np.array([_variance(x, *line) for (x, _), line in zip(cases, alone, strict=True)])
    common, width = _in_common(np.array([slope for slope, _ in alone]), variances)
    drawn = [_fitted(x, y, common, width**-2) for x, y in cases]
    rates = [(y.sum() + 0.5) / (len(y) + 1) for _, y in cases]
    return Lines(np.array([s for s, _ in drawn]), np.array([i for _, i in drawn]), np.array(rates))


def _fitted(x: Vector, y: NDArray[np.floating], slope: float, precision: float) -> tuple[float, float]:
    """Slope and intercept, the slope drawn to `slope`."""
    platt = fit_platt(slope * x, y, pull=(precision * slope**2, _ALONE[1]))
    return platt.slope * slope, platt.intercept


def _variance(x: Vector, slope: float, intercept: float) -> float:
    """Of the slope, as the curvature of the likelihood has it."""
    chance = 1 / (1 + np.exp(-(slope * x + intercept)))
    weight = chance * (1 - chance)
    (a, b), (_, d) = np.array([[weight @ x**2, weight @ x], [0.0, weight.sum()]]) + np.diag(_ALONE)
    return float(d / (a * d - b * b))


def _in_common(slopes: Vector, variances: Vector) -> tuple[float, float]:
    """The mean slope, and the standard deviation of the labels' true slopes around it."""
    weights = 1 / variances
    mean = weights @ slopes / weights.sum()
    beyond_chance = weights @ (slopes - mean) ** 2 - (len(slopes) - 1)
    width = np.sqrt(max(beyond_chance, 0.0) / (weights.sum() - (weights**2).sum() / weights.sum()))
    weights = 1 / (variances + width**2)
    return max(float(weights @ slopes / weights.sum()), _LEAST_SLOPE), max(float(width), _LEAST_WIDTH)
