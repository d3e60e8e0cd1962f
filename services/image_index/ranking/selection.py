"""The best of many scores, some of which are only known to within an error."""

import heapq
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Scores

Exact = NDArray[np.float64]

DECIMALS = 9  # of a score: more would let the last bit of a sum decide
_GROUPS = 1024  # whose maxima bound the k-th best from below: one pass in place of a partition of all
_GROUPS_FOR_EACH = 8


def contenders(rows: NDArray[np.intp], approximate: Scores, error: Scores | float, k: int) -> NDArray[np.intp]:
    """The rows that may be among the best k, or tie with the last of them. `approximate` and `error`: of all rows."""
    if rows.size <= k:
        return rows
    everything = rows.size == approximate.size
    scores = approximate if everything else approximate.take(rows)
    errors = error if everything or isinstance(error, float) else error.take(rows)
    lowest, highest = scores - errors, scores + errors
    some = np.flatnonzero(highest >= _bound(lowest, k))
    at_least = np.partition(lowest[some], some.size - k)[some.size - k]  # k rows score at least this
    return np.asarray(rows[some[highest[some] >= at_least]])


def _bound(scores: Scores, k: int) -> np.float32:
    """What k of the scores reach: the k-th best maximum of groups that share no score."""
    groups = max(_GROUPS, _GROUPS_FOR_EACH * k)
    if scores.size < 2 * groups:
        return np.float32(-np.inf)
    maxima = scores[: scores.size // groups * groups].reshape(-1, groups).max(axis=0)
    return np.float32(np.partition(maxima, groups - k)[groups - k])


def best(scores: Exact, image_ids: list[str], k: int) -> tuple[list[int], int]:
    """Positions in `scores` of the best k, by score and then image_id; and how many more score as the last of them."""
    if len(scores) <= k:
        return sorted(range(len(scores)), key=lambda i: (-scores[i], image_ids[i])), 0
    cutoff = np.partition(scores, len(scores) - k)[len(scores) - k]
    above = sorted(np.flatnonzero(scores > cutoff).tolist(), key=lambda i: (-scores[i], image_ids[i]))
    tied = np.flatnonzero(scores == cutoff).tolist()
    room = k - len(above)
    return above + heapq.nsmallest(room, tied, key=image_ids.__getitem__), len(tied) - room


class Repeats:
    """Whether a place is of a group that was asked about before. An image of group -1 stands alone."""

    def __init__(self, groups: list[int]) -> None:
        self._groups = groups
        self._seen: set[int] = set()

    def __call__(self, place: int) -> bool:
        group = self._groups[place]
        if group in self._seen:
            return True
        if group >= 0:
            self._seen.add(group)
        return False


def best_of_groups(
    scores: Exact, image_ids: list[str], repeats: Callable[[int], bool], depth: int, wanted: int
) -> tuple[list[int], int]:
    """As `best`, but for the places that repeat one that is better; they are asked about in the order of the ranking.

    Of `scores`, only the best `depth` and what ties with them are sure to be all there are.
    """
    sure, ties = best(scores, image_ids, depth)
    if ties:
        sure, _ = best(scores, image_ids, depth + ties)
    heads = [place for place in sure if not repeats(place)]
    last = scores[heads[wanted - 1]] if len(heads) >= wanted else None
    return heads[:wanted], sum(scores[place] == last for place in heads[wanted:])
