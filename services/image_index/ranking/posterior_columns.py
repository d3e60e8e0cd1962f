"""The posteriors of all images of a gallery, kept from search to search and from generation to generation."""

import threading

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.evidence import Evidence
from services.image_index.ranking.posterior import Posterior, posterior
from services.image_index.ranking.prior import LabelSetPrior

Columns = NDArray[np.float32]
_FIRST_CAPACITY = 1024


class PosteriorColumns:
    """Shared by the galleries of a store: their rows are only ever appended, so a row once computed stays right until
    the prior or the gallery's statistics change. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version: tuple[str, Evidence] | None = None
        self._rows = 0
        self._columns = np.empty((0, 0), dtype=np.float32)

    def of(self, probabilities: Columns, evidence: Evidence, prior: LabelSetPrior) -> Posterior:
        """Of all of `probabilities` (14, N), in float32; computes only rows that it does not hold."""
        labels, rows = probabilities.shape
        version = (prior.digest, evidence)
        with self._lock:
            if version != self._version:
                self._version, self._rows = version, 0
                self._columns = np.empty((2 * labels + 2, max(rows, _FIRST_CAPACITY)), dtype=np.float32)
            if rows > self._rows:
                self._extend(probabilities[:, self._rows :], evidence, prior)
            columns = self._columns[:, :rows]
        return Posterior(columns[:labels], columns[labels : 2 * labels], columns[-2], columns[-1])

    def _extend(self, fresh: Columns, evidence: Evidence, prior: LabelSetPrior) -> None:
        end = self._rows + fresh.shape[1]
        if end > self._columns.shape[1]:
            more = max(end, 2 * self._columns.shape[1]) - self._columns.shape[1]
            self._columns = np.pad(self._columns, ((0, 0), (0, more)))
        found = posterior(evidence.of(fresh), prior)
        self._columns[:, self._rows : end] = np.vstack(
            [found.evidence, found.marginals, found.marginal_sums, found.log_z]
        )
        self._rows = end
