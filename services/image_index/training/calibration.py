"""From a logit to a probability that means something, and the probability from which a finding is called present."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.training.datasets import LabelledImages
from services.image_index.training.metrics import PHANTOMS, Scores
from shared.labels import LABELS, LabelName

_SLOPE_PRIOR = 10.0  # a slope of 1 counts as much as some tens of pictures: few positives cannot bend it far
_FEWEST_POSITIVES = 5


@dataclass(frozen=True)
class Platt:
    """probability = sigmoid(slope · logit + intercept)."""

    slope: float
    intercept: float

    def __call__(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * logits.astype(np.float64) + self.intercept))))


def fit_platt(logits: NDArray[np.float32], truth: NDArray[np.float32]) -> Platt:
    """Newton's method on the penalised likelihood of slope and intercept, the slope drawn towards 1."""
    x = np.stack([logits.astype(np.float64), np.ones(len(logits))], axis=1)  # (N, 2)
    beta = np.array([1.0, 0.0])
    start, penalty = np.array([1.0, 0.0]), np.diag([_SLOPE_PRIOR, 1e-6])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -35.0, 35.0)))
        gradient = x.T @ (p - truth) + penalty @ (beta - start)
        curvature = (x * (p * (1.0 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(curvature, gradient)
        beta = beta - np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    return Platt(max(0.1, float(beta[0])), float(beta[1]))


def best_threshold(probabilities: NDArray[np.float64], truth: NDArray[np.float32]) -> float:
    """The probability at which F1 on these pictures is highest, halfway to the next lower one."""
    order = np.argsort(-probabilities, kind="stable")
    p, hits = probabilities[order], np.cumsum(truth[order])
    f1 = 2.0 * hits / (np.arange(1, len(p) + 1) + truth.sum())
    best = int(np.argmax(f1))
    below = p[best + 1] if best + 1 < len(p) else 0.0
    return float(np.clip((p[best] + below) / 2.0, 0.02, 0.98))


def fit_calibration(
    logits: Scores, validation: LabelledImages
) -> tuple[Mapping[LabelName, Platt], Mapping[LabelName, float]]:
    """Calibration and threshold of each label, from real pictures where enough show it, else from phantoms."""
    real = validation.sources != PHANTOMS
    calibration: dict[LabelName, Platt] = {}
    thresholds: dict[LabelName, float] = {}
    for column, label in enumerate(LABELS):
        known, truth = validation.known[:, column], validation.targets[:, column]
        enough = truth[real & known].sum() >= _FEWEST_POSITIVES
        rows = known & (real if enough else ~real)
        platt = fit_platt(logits[rows, column], truth[rows])
        calibration[label] = platt
        thresholds[label] = best_threshold(platt(logits[rows, column]), truth[rows])
    return calibration, thresholds
