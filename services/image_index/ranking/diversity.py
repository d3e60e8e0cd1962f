"""A ranking whose images differ from one another, for a reader who would rather see five cases than one five times.

Maximal marginal relevance (Carbonell and Goldstein, 1998): the next image is the one with the most of

    (1 - diversity) · relevance - diversity · likeness to the most alike of those before it

with relevance the score, from 0 to 1 over the pool, and likeness the sum of the smaller of two images' probabilities
over the sum of the larger: 1 for equal images, 0 for images that share no label.
"""

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.selection import DECIMALS


def diversified(
    scores: Vector, probabilities: NDArray[np.float32], diversity: float, count: int
) -> tuple[list[int], int]:
    """Positions of the first `count` of the pool, and how many others could as well have been its last.

    `scores` (M,), best first, and `probabilities` (14, M) of the pool: equal images come in its order. The choice does
    not look ahead, so that fewer are always the start of more.
    """
    if not len(scores):
        return [], 0
    span = float(np.ptp(scores))
    relevance = (scores - scores.min()) / span if span > 0 else np.ones_like(scores)
    columns = probabilities.astype(np.float64)
    nearest, chosen, ties = np.zeros_like(scores), [], 0
    left = np.ones(len(scores), dtype=np.bool_)
    for _ in range(min(count, len(scores))):
        values = np.round((1 - diversity) * relevance - diversity * nearest, DECIMALS)
        values[~left] = -np.inf
        first = int(values.argmax())
        ties = int((values == values[first]).sum()) - 1
        chosen.append(first)
        left[first] = False
        nearest = np.maximum(nearest, _likeness(columns, columns[:, first]))
    return chosen, ties


def _likeness(columns: Vector, image: Vector) -> Vector:
    """(14, M), (14,) -> (M,), summed in the order of the labels. Two images that show nothing at all are alike."""
    shared, either = np.zeros(columns.shape[1]), np.zeros(columns.shape[1])
    for column, value in zip(columns, image.tolist(), strict=True):
        shared += np.minimum(column, value)
        either += np.maximum(column, value)
    return np.asarray(np.divide(shared, either, out=np.ones_like(shared), where=either > 0))
