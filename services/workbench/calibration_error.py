"""How far probabilities are from what was found, and the bins in which both are laid side by side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Means over `count` examples."""

    promised: float
    found: float
    count: int


def reliability_bins(promised: NDArray[np.floating], found: NDArray[np.generic], bins: int = BINS) -> list[Bin]:
    """From the least to the most promising examples, as many in each bin; fewer bins where there are fewer examples.

    As many, because findings are rare: of bins of equal width the first would hold nearly all, and the others so few
    that their gaps are chance. The estimate is less biased so, too (Roelofs et al., Mitigating Bias in Calibration
    Error Estimation, AISTATS 2022). Equal promises that a bin's edge parts share what was found among them, so that
    the examples' order says nothing.
    """
    order = np.argsort(promised, kind="stable")
    values, run = np.unique(promised, return_inverse=True)
    sums = np.bincount(run, weights=found.astype(np.float64), minlength=len(values))
    shared = (sums / np.bincount(run, minlength=len(values)))[run]
    parts = (part for part in np.array_split(order, bins) if len(part))
    return [Bin(float(promised[part].mean(dtype=np.float64)), float(shared[part].mean()), len(part)) for part in parts]


def calibration_error(promised: NDArray[np.floating], found: NDArray[np.generic], bins: int = BINS) -> float:
    """Expected calibration error: the mean, over the examples, of how far their bin is off. NaN without examples."""
    if not len(promised):
        return float("nan")
    gaps = (one.count * abs(one.promised - one.found) for one in reliability_bins(promised, found, bins))
    return sum(gaps) / len(promised)
