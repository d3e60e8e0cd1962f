"""What an encoder's probability says for a label, beyond what is true of the whole gallery."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-6  # probabilities are kept this far from 0 and 1 where their logarithm is taken
_STEP = 1 / 16  # of log-odds: coarse, so that one more image seldom changes what all images' posteriors hang on


@dataclass(frozen=True)
class Evidence:
    """`offsets` (14,): the log-odds of the gallery's mean probability of each label, in whole steps.

    An encoder that says 10 % for every image says nothing of any: only what exceeds the mean speaks for a label. So a
    shift of one label's log-odds, as class weights in training leave it, does no harm.
    """

    offsets: tuple[float, ...]

    def of(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """(14, N) -> (14, N) log p/(1-p) - log b/(1-b)."""
        p = np.clip(probabilities.astype(np.float64), EPSILON, 1 - EPSILON)
        return np.asarray(np.log(p) - np.log1p(-p) - np.array(self.offsets)[:, None])


def evidence_against(mean: NDArray[np.float64]) -> Evidence:
    """`mean` (14,): the gallery's mean probabilities."""
    b = np.clip(mean, 1e-4, 1 - 1e-4)
    return Evidence(tuple((np.round((np.log(b) - np.log1p(-b)) / _STEP) * _STEP).tolist()))
