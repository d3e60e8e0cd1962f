"""What searches of a gallery scan, kept from search to search: the posteriors, and the probabilities of each label."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.derived_columns import DerivedColumns
from services.image_index.ranking.fusion import Fusion, Known
from services.image_index.ranking.posterior import Posterior
from services.image_index.ranking.posterior_scan import posterior_columns
from services.image_index.ranking.prior import LabelSetPrior
from shared.labels import LABELS

_LABELS = len(LABELS)


class Resident:
    """One for all galleries of a store. Those of pictures and reports together stay; of the others, those that were
    asked for last.
    """

    def __init__(self) -> None:
        self._fused = (DerivedColumns(2 * _LABELS + 2), DerivedColumns(_LABELS))
        self._other = (DerivedColumns(2 * _LABELS + 2), DerivedColumns(_LABELS))

    def posteriors(self, rows: int, known: Callable[[slice], Known], fusion: Fusion, prior: LabelSetPrior) -> Posterior:
        """In float32."""
        kept, _ = self._of(fusion)
        columns = kept.of(
            rows, (prior.digest, fusion), lambda some: posterior_columns(fusion.log_odds(known(some)), prior)
        )
        return Posterior(columns[:_LABELS], columns[_LABELS : 2 * _LABELS], columns[-2], columns[-1])

    def probabilities(self, rows: int, known: Callable[[slice], Known], fusion: Fusion) -> NDArray[np.float32]:
        _, kept = self._of(fusion)
        return kept.of(rows, fusion, lambda some: fusion.probabilities(known(some)))

    def _of(self, fusion: Fusion) -> tuple[DerivedColumns, DerivedColumns]:
        return self._fused if fusion.evidence == "all" else self._other
