"""Bootstrap intervals of mean figures, drawing whole clusters: patients, or label sets."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS = 1000


def intervals(
    figures: NDArray[np.float64],
    clusters: Sequence[object] | NDArray[np.generic],
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Of figures (N, F), clusters (N,) -> (2, F): 2.5 % and 97.5 % of the mean, where whole clusters are drawn anew."""
    _, owner = np.unique(np.asarray(clusters), return_inverse=True)
    sizes = np.bincount(owner).astype(np.float64)  # (C,)
    sums = np.stack([np.bincount(owner, weights=column) for column in figures.T], axis=1)  # (C, F)
    rng = np.random.default_rng(seed)
    means = np.empty((rounds, figures.shape[1]))
    for row in means:
        drawn = np.bincount(rng.integers(len(sizes), size=len(sizes)), minlength=len(sizes))
        row[:] = drawn @ sums / (drawn @ sizes)
    return np.quantile(means, [0.025, 0.975], axis=0)
