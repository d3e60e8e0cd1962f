"""Figures of predictions against labels, with bootstrap intervals over reports.

A label that is unknown for a report counts nowhere for that report. Micro figures pool all decisions; macro figures are
means over the labels that occur in the state. Figures that are not defined (no report has the label in that state) are
None, never 0 or NaN.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.text_classifier.evaluation.predictors import Predictions
from services.text_classifier.examples.labelled import STATES, UNKNOWN
from services.workbench.auroc import auroc_by_weights
from services.workbench.calibration_error import calibration_error
from shared.labels import LABELS, NO_FINDING, State

Floats = NDArray[np.float64]
Report = dict[str, Any]
JUDGED = (State.PRESENT, State.ABSENT, State.UNCERTAIN)
_COVERED = (2.5, 97.5)
_NAMES = ("precision", "recall", "f1", "auroc")


def judge(predictions: Predictions, truth: NDArray[np.int8], *, resamples: int = 1000, seed: int = 0) -> Report:
    """`truth` (N, 14) holds positions in `State`, or UNKNOWN. Returns `{state: {"micro", "macro", "labels"}}`."""
    rng = np.random.default_rng(seed)
    reports = len(truth)
    draws = rng.multinomial(reports, np.full(reports, 1 / reports), size=resamples).astype(np.float64)  # (R, N)
    weights = np.concatenate((np.ones((1, reports)), draws))  # the first row is the sample itself
    return {state: _judge_state(predictions, truth, STATES.index(state), weights) for state in JUDGED}


def _judge_state(predictions: Predictions, truth: NDArray[np.int8], state: int, weights: Floats) -> Report:
    known = truth != UNKNOWN
    if STATES[state] is not State.PRESENT:
        known[:, LABELS.index(NO_FINDING)] = False  # it has no such state
    true, called = (truth == state) & known, (predictions.states == state) & known
    probability = predictions.probabilities[..., state]
    counts = [weights @ x.astype(np.float64) for x in (true & called, called, true)]  # three times (1 + R, 14)
    auroc = np.stack(
        [auroc_by_weights(probability[k, i], true[k, i])(weights[:, k]) for i, k in enumerate(known.T)], axis=1
    )  # (1 + R, 14)
    each = _ratios(*counts) | {"auroc": auroc}
    pooled = _ratios(*(count.sum(axis=1, keepdims=True) for count in counts))
    occurs = true.any(axis=0)
    mean = {name: _mean(values[:, occurs]) for name, values in each.items()}
    errors = [calibration_error(probability[k, i], true[k, i]) for i, k in enumerate(known.T)]
    everywhere = auroc_by_weights(probability[known], true[known])(np.ones((1, int(known.sum()))))
    return {
        "micro": _entry(pooled, 0, true.sum())
        | {"auroc": _number(everywhere[0]), "ece": _number(calibration_error(probability[known], true[known]))},
        "macro": _entry(mean, 0, true.sum()) | {"ece": _number(_mean(np.array([errors])[:, occurs])[0, 0])},
        "labels": {
            label: (_entry(each, i, true[:, i].sum()) if occurs[i] else _empty(called[:, i].sum()))
            | {"ece": _number(errors[i])}
            for i, label in enumerate(LABELS)
        },
    }


def _ratios(hits: Floats, called: Floats, true: Floats) -> dict[str, Floats]:
    """Precision is 0 where nothing was called, as nothing was found; recall and F1 are not defined without a truth."""
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(called > 0, hits / called, 0.0)
        recall = np.where(true > 0, hits / true, np.nan)
        f1 = np.where(true > 0, 2 * hits / (called + true), np.nan)
    return {"precision": precision, "recall": recall, "f1": f1}


def _entry(values: Mapping[str, Floats], column: int, support: int) -> Report:
    """The sample's own figures (row 0), and between which the middle 95 % of the resamples lie."""
    entry: Report = {name: _number(values[name][0, column]) for name in _NAMES if name in values}
    intervals = {name: _interval(values[name][1:, column]) for name in _NAMES if name in values}
    return entry | {"support": int(support), "intervals": intervals}


def _empty(called: int) -> Report:
    return dict.fromkeys(_NAMES) | {"support": 0, "called": int(called), "intervals": {}}


def _interval(values: Floats) -> list[float] | None:
    values = values[np.isfinite(values)]
    return [_number(x) for x in np.percentile(values, _COVERED)] if len(values) else None  # type: ignore[misc]


def _number(value: float) -> float | None:
    return round(float(value), 5) if np.isfinite(value) else None


def _mean(values: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean over nothing is NaN, and meant
        mean: Floats = np.nanmean(values, axis=1, keepdims=True)
        return mean
