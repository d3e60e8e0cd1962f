"""The area under the ROC curve of weighted examples, as bootstrap intervals need it many times over."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]


def auroc_by_weights(score: NDArray[np.floating], true: NDArray[np.bool_]) -> Callable[[Weights], Weights]:
    """Weights (R, N) -> areas (R,): ties count half, and it is NaN where one class is missing.

    The scores are sorted once, and each row of weights is but a few sums.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(score[order]) > 0))  # each run of equal scores
    sorted_true = true[order]

    def areas(weights: Weights) -> Weights:
        if not len(score):
            return np.full(len(weights), np.nan)
        of = weights[:, order]
        positive = np.add.reduceat(of * sorted_true, starts, axis=1)
        negative = np.add.reduceat(of * ~sorted_true, starts, axis=1)
        below = negative.cumsum(axis=1) - negative
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(pairs > 0, (positive * (below + negative / 2)).sum(axis=1) / pairs, np.nan)

    return areas
