"""The probability from which a finding is called present."""

import numpy as np
from numpy.typing import NDArray

ONE_HALF = 0.5


def best_threshold(
    probabilities: NDArray[np.floating],
    present: NDArray[np.bool_],
    candidates: NDArray[np.float64],
    *,
    slack: float = 0.0,
) -> float:
    """Of the candidates that of greatest F1; of all within `slack` of it, the one nearest to one half.

    One half, too, where nothing is present: there is nothing to judge by.
    """
    if not present.any():
        return ONE_HALF
    order = np.argsort(probabilities)
    called = len(order) - np.searchsorted(probabilities[order], candidates)
    hits = np.append(np.cumsum(present[order][::-1]), 0)[called - 1]  # of the `called` most probable; none of none
    f1 = 2.0 * hits / (called + present.sum())
    good = candidates[f1 >= f1.max() - slack]
    return float(good[np.abs(good - ONE_HALF).argmin()])


def between(probabilities: NDArray[np.floating], least: float, most: float) -> NDArray[np.float64]:
    """Halfway from each probability to the next lower one (from the lowest, to 0), none beyond `least` and `most`.

    No threshold calls other sets of these present, and no rounding moves an example across one.
    """
    values = np.unique(np.append(probabilities.astype(np.float64), 0.0))
    return np.asarray(np.clip((values[1:] + values[:-1]) / 2.0, least, most))
