"""A simulated reader of reports: right as often as is asked, with states as reports have them."""

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.report_evidence import evidence_of_report
from shared.labels import State

_DENIED = 0.3  # of the labels that a report does not state as present; the others are not mentioned
_UNCERTAIN = 0.05  # of those it does


def simulated_reports(
    truth: NDArray[np.int8], accuracy: float, base_rates: Vector, rng: np.random.Generator
) -> NDArray[np.float16]:
    """(N, 14) of 0 and 1 -> (N, 14) evidence. Of the labels that are there, `accuracy` are read; and of those that are
    read as present, as many are there. A reader without fault doubts nothing either.
    """
    there = truth == 1
    count = there.sum(axis=0)
    invented = np.minimum((1 - accuracy) * count / np.maximum(len(truth) - count, 1), 1.0)
    present = np.where(there, rng.random(truth.shape) < accuracy, rng.random(truth.shape) < invented)
    states = np.where(rng.random(truth.shape) < _DENIED, State.ABSENT, State.NOT_MENTIONED).astype(object)
    states[present] = State.PRESENT
    if accuracy < 1:
        states[present & (rng.random(truth.shape) < _UNCERTAIN)] = State.UNCERTAIN
    return np.stack([_evidence(one, base_rates) for one in states])


def _evidence(states: NDArray[np.object_], base_rates: Vector) -> NDArray[np.float16]:
    probabilities = np.array([float(state is State.PRESENT) for state in states])
    return evidence_of_report(states.tolist(), probabilities, base_rates)


def of_a_share(
    reports: NDArray[np.float16], patients: NDArray[np.str_], share: float, rng: np.random.Generator
) -> NDArray[np.float16]:
    """The reports of so many of the patients; NaN where there is none."""
    names, of = np.unique(patients, return_inverse=True)
    kept = np.zeros(len(names), dtype=np.bool_)
    kept[rng.permutation(len(names))[: round(share * len(names))]] = True
    return np.where(kept[of][:, None], reports, np.float16(np.nan))
