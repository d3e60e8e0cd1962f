"""Expected figures of one ranking whose tied items come in random order, in closed form.

A ranking is cut into groups of equal score. Within a group every order is equally likely, so that what is expected of
it follows from how many items it has and how many of them are relevant; no sort's accident enters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector


@dataclass(frozen=True)
class Groups:
    """Groups of equal score, best first. All (G,): `start` = how many items come before, `size`."""

    start: NDArray[np.intp]
    size: NDArray[np.intp]

    def sums(self, values: Vector) -> Vector:
        """(N,) values in ranking order -> (G,) sums."""
        return np.add.reduceat(values, self.start)


def groups(scores: Vector) -> Groups:
    """Of scores (N,) in descending order, N > 0."""
    start = np.concatenate([[0], np.flatnonzero(scores[1:] != scores[:-1]) + 1])
    return Groups(start, np.diff(np.append(start, len(scores))))


def mean_at_k(tied: Groups, values: Vector, k: int) -> float:
    """Expected mean of `values` over the first k items (over all, where there are fewer): precision@k, IoU@k."""
    taken = np.clip(k - tied.start, 0, tied.size)
    return float((tied.sums(values) * taken / tied.size).sum() / min(k, len(values)))


def hit_at_k(tied: Groups, relevant: Vector, k: int) -> float:
    """Probability that some of the first k items is relevant."""
    within = tied.start < k
    size, count = tied.size[within], tied.sums(relevant)[within].astype(int)
    taken = np.minimum(k - tied.start[within], size)
    if count[taken == size].any():
        return 1.0
    missed = 1.0  # only the last group can be cut
    for draw in range(taken[-1]):
        missed *= max(size[-1] - count[-1] - draw, 0) / (size[-1] - draw)
    return 1.0 - missed


def discounted_gain(tied: Groups, gains: Vector, k: int) -> float:
    """Expected DCG@k = Σ gain / log2(1 + position)."""
    depth = min(k, len(gains))
    mean = np.repeat(tied.sums(gains) / tied.size, tied.size)[:depth]
    return float(mean @ _discounts(depth))


def ideal_gain(gains: Vector, k: int) -> float:
    """DCG@k of the best order."""
    depth = min(k, len(gains))
    return float(np.sort(gains)[::-1][:depth] @ _discounts(depth))


def average_precision(tied: Groups, relevant: Vector) -> float:
    """Expected average precision over the whole ranking; 0 where nothing is relevant.

    In a group of n items, r of them relevant, behind o items with R relevant, the item at the group's j-th place is
    relevant with probability r/n, and then (j-1)(r-1)/(n-1) of those before it in the group are, so that the group adds
    r/n Σ_j (R + 1 + (j-1)(r-1)/(n-1)) / (o + j), where Σ_j 1/(o+j) is a difference of harmonic numbers.
    """
    count = tied.sums(relevant)
    total = count.sum()
    if total == 0:
        return 0.0
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, len(relevant) + 1))])
    before = np.cumsum(count) - count
    inverse = harmonic[tied.start + tied.size] - harmonic[tied.start]  # Σ_j 1 / (o + j)
    pairs = np.divide(count - 1, tied.size - 1, out=np.zeros_like(count), where=tied.size > 1)
    expected = (before + 1) * inverse + pairs * (tied.size - (tied.start + 1) * inverse)
    return float((count / tied.size * expected).sum() / total)


def reciprocal_rank(tied: Groups, relevant: Vector) -> float:
    """Expected 1 / position of the first relevant item; 0 where nothing is relevant."""
    count = tied.sums(relevant).astype(int)
    found = np.flatnonzero(count)
    if not len(found):
        return 0.0
    start, size, r = (int(values[found[0]]) for values in (tied.start, tied.size, count))
    place = np.arange(size - r + 1)
    now = r / (size - place)  # relevant here, where none was before
    still = np.concatenate([[1.0], np.cumprod(1.0 - now)[:-1]])  # none before
    return float((still * now / (start + place + 1)).sum())


def _discounts(depth: int) -> Vector:
    return 1.0 / np.log2(np.arange(2, depth + 2))
