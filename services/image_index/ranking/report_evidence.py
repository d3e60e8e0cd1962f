"""What a report says for each label, beyond what reports say in general: log-odds, from its states and probabilities.

By Bayes, a report whose state is s moves the odds of a label by P(s | there) / P(s | not there). Of a text that is read
as present with probability p, and else as its state, the probability of the label is a mixture of both:

    e = logit(p · c(present) + (1 - p) · c(state)) - logit(b),    logit(c(s)) = logit(b) + STATE_LOG_ODDS[s]

with b the label's base rate in reports. An uncertain finding speaks for neither side.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from shared.labels import State

MOST = 8.0  # log-odds that no report exceeds, either way
STATE_LOG_ODDS: Mapping[State, float] = {
    State.PRESENT: 4.0,
    State.UNCERTAIN: 0.0,
    State.ABSENT: -4.0,
    State.NOT_MENTIONED: -3.0,
}


def evidence_of_report(states: Sequence[State], probabilities: Vector, base_rates: Vector) -> NDArray[np.float16]:
    """(14,) each, in the order of the labels; `probabilities` that a label is present."""
    usual = np.log(base_rates) - np.log1p(-base_rates)
    otherwise = [State.NOT_MENTIONED if state is State.PRESENT else state for state in states]
    there = _sigmoid(usual + STATE_LOG_ODDS[State.PRESENT])
    else_there = _sigmoid(usual + np.array([STATE_LOG_ODDS[state] for state in otherwise]))
    mixed = probabilities * there + (1 - probabilities) * else_there
    evidence = np.log(mixed) - np.log1p(-mixed) - usual
    evidence[[state is State.UNCERTAIN for state in states]] = 0.0
    return np.clip(evidence, -MOST, MOST).astype(np.float16)


def probabilities_of(evidence: NDArray[np.floating], base_rates: Vector) -> Vector:
    """(14, N) log-odds beyond the base rates (14,) -> (14, N): what the report alone makes of them."""
    usual = np.log(base_rates) - np.log1p(-base_rates)
    return _sigmoid(evidence.astype(np.float64) + usual[:, None])


def _sigmoid(log_odds: Vector) -> Vector:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
