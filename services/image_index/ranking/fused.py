"""A gallery as one search sees it: what is to be thought of each image, by picture, by report, or by both."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.log_odds import EPSILON, log_odds


@dataclass(frozen=True)
class Fused:
    """Rows (last axis) are those of the gallery, dead ones among them. Kept from search to search, as are the columns
    that are made of it when a measure first needs them.
    """

    probabilities: NDArray[np.float32]  # (14, N)

    @cached_property
    def sums(self) -> NDArray[np.float32]:
        return np.asarray(self.probabilities.sum(axis=0))

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        return np.asarray(np.sqrt(np.einsum("ln,ln->n", self.probabilities, self.probabilities)))

    @cached_property
    def log_odds(self) -> NDArray[np.float32]:
        return log_odds(self.probabilities).astype(np.float32)

    @cached_property
    def log_absent(self) -> NDArray[np.float32]:
        """(N,) sum over labels of log(1 - p). In float64: in float32, 1 - EPSILON is off by one percent of EPSILON."""
        clipped = np.clip(self.probabilities.astype(np.float64), EPSILON, 1 - EPSILON)
        return np.asarray(np.log1p(-clipped).sum(axis=0), dtype=np.float32)
