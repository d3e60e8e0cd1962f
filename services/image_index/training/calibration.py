"""From a logit to a probability that means something, and the probability from which a finding is called present."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.metrics import PHANTOMS, Scores
from services.image_index.examples.datasets import LabelledImages
from services.image_index.training.objective import EXPECTED_PREVALENCE
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


def lower_to(platt: Platt, logits: NDArray[np.float32], expected: float) -> Platt:
    """The same slope, and an intercept so low that the mean probability of these pictures is at most `expected`."""
    low, high = platt.intercept - 20.0, platt.intercept
    if float(platt(logits).mean()) <= expected:
        return platt
    for _ in range(50):
        middle = (low + high) / 2.0
        above = float(Platt(platt.slope, middle)(logits).mean()) > expected
        low, high = (low, middle) if above else (middle, high)
    return Platt(platt.slope, low)


def fit_calibration(
    logits: Scores, validation: LabelledImages
) -> tuple[Mapping[LabelName, Platt], Mapping[LabelName, float]]:
    """Calibration and threshold of each label, from real pictures where enough show it, else from phantoms.

    A label that no real picture annotates must not be found in most of them, so that it would say nothing: there the
    real pictures set how low its probabilities lie, by EXPECTED_PREVALENCE.
    """
    real = validation.sources != PHANTOMS
    calibration: dict[LabelName, Platt] = {}
    thresholds: dict[LabelName, float] = {}
    for column, label in enumerate(LABELS):
        known, truth, score = validation.known[:, column], validation.targets[:, column], logits[:, column]
        enough = truth[real & known].sum() >= _FEWEST_POSITIVES
        rows = known & (real if enough else ~real)
        platt = fit_platt(score[rows], truth[rows])
        unknown = real & ~known
        if label in EXPECTED_PREVALENCE and not enough and unknown.any():
            platt = lower_to(platt, score[unknown], EXPECTED_PREVALENCE[label])
        calibration[label] = platt
        thresholds[label] = best_threshold(platt(score[rows]), truth[rows])
        if label in EXPECTED_PREVALENCE and not enough and unknown.any():
            usual = float(np.quantile(platt(score[unknown]), 1.0 - EXPECTED_PREVALENCE[label]))
            thresholds[label] = max(thresholds[label], min(usual, 0.98))
    return calibration, thresholds
