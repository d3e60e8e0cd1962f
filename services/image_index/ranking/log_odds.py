"""Probabilities as log-odds, which are what evidence adds up in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-6  # probabilities are kept this far from 0 and 1 where their logarithm is taken


def log_odds(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """In float64: in float32, 1 - EPSILON is off by one percent of EPSILON."""
    p = np.clip(probabilities.astype(np.float64), EPSILON, 1 - EPSILON)
    return np.asarray(np.log(p) - np.log1p(-p))


def logit(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(rates) - np.log1p(-rates))


@dataclass(frozen=True)
class Evidence:
    """Of each label, slope · log-odds + offset; (14,) both."""

    slopes: tuple[float, ...]
    offsets: tuple[float, ...]

    def of(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        """(14, N) -> (14, N)."""
        slopes, offsets = np.array(self.slopes), np.array(self.offsets)
        return np.asarray(log_odds(probabilities) * slopes[:, None] + offsets[:, None])

    @property
    def changes_nothing(self) -> bool:
        return all(slope == 1 for slope in self.slopes) and all(offset == 0 for offset in self.offsets)
