"""The posteriors of many images as a scan needs them: quickly, in float32, and a little off.

As sums of products over all images at once, whose order is the library's: exact scores never come from here.
"""

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Matrix
from services.image_index.ranking.prior import LabelSetPrior

_BLOCK = 128  # images at a time: products so small that the library keeps them to one thread, and the cache holds them


def posterior_columns(evidence: Matrix, prior: LabelSetPrior) -> NDArray[np.float32]:
    """Evidence (14, N) -> (30, N): the 14 of evidence, the 14 marginals, their sum, and log Z."""
    images = evidence.shape[1]
    sets = prior.sets.astype(np.float32)  # (S, 14)
    frequencies = prior.log_frequencies.astype(np.float32)[:, None]
    columns = np.empty((2 * len(evidence) + 2, images), dtype=np.float32)
    columns[: len(evidence)] = evidence
    for start in range(0, images, _BLOCK):
        some = columns[:, start : start + _BLOCK]
        logs = sets @ np.ascontiguousarray(some[: len(evidence)]) + frequencies  # (S, M)
        top = logs.max(axis=0)
        weights = np.exp(logs - top)
        total = weights.sum(axis=0)
        marginals = sets.T @ weights / total  # (14, M)
        some[len(evidence) : -2] = marginals
        some[-2] = marginals.sum(axis=0)
        some[-1] = top + np.log(total)
    return columns
