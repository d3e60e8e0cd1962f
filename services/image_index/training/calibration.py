"""From a logit to a probability that means something, and the probability from which a finding is called present."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.metrics import PHANTOMS, Scores
from services.image_index.examples.datasets import LabelledImages
from services.image_index.training.objective import EXPECTED_PREVALENCE
from services.workbench.platt import Platt, fit_platt
from services.workbench.thresholds import best_threshold, between
from shared.labels import LABELS, LabelName

_PULL = (10.0, 1e-6)  # a slope of 1 counts as much as some tens of pictures: few positives cannot bend it far
_LEAST_SLOPE = 0.1
_LEAST_THRESHOLD, _MOST_THRESHOLD = 0.02, 0.98
_FEWEST_POSITIVES = 5


def rising(platt: Platt) -> Platt:
    """A few pictures must not turn the network's opinion around: the slope stays above 0."""
    return replace(platt, slope=max(_LEAST_SLOPE, platt.slope))


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


def fit_label(score: NDArray[np.float32], truth: NDArray[np.float32]) -> tuple[Platt, float]:
    """One label's calibration and threshold, from the logits (N,) of pictures where it is known."""
    platt = rising(fit_platt(score, truth, pull=_PULL))
    return platt, _threshold(platt, score, truth)


def _threshold(platt: Platt, score: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    probabilities = platt(score)
    return best_threshold(probabilities, truth > 0, between(probabilities, _LEAST_THRESHOLD, _MOST_THRESHOLD))


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
        platt, _ = fit_label(score[rows], truth[rows])
        unknown = real & ~known
        if label in EXPECTED_PREVALENCE and not enough and unknown.any():
            platt = lower_to(platt, score[unknown], EXPECTED_PREVALENCE[label])
        calibration[label] = platt
        thresholds[label] = _threshold(platt, score[rows], truth[rows])
        if label in EXPECTED_PREVALENCE and not enough and unknown.any():
            usual = float(np.quantile(platt(score[unknown]), 1.0 - EXPECTED_PREVALENCE[label]))
            thresholds[label] = max(thresholds[label], min(usual, _MOST_THRESHOLD))
    return calibration, thresholds
