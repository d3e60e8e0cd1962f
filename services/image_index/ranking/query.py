"""What is looked for, and how."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.fusion import Fusion
from services.image_index.ranking.prior import LabelSetPrior, shipped_prior
from services.image_index.ranking.statistics import Statistics
from services.image_index.ranking.trust import Trust
from shared.schemas.search import SearchOptions


@dataclass(frozen=True)
class Query:
    """`weights` (14,) in [0, 1]. With `thresholds` (14,), images are 0/1 vectors: probability >= threshold."""

    weights: Vector
    options: SearchOptions = field(default_factory=SearchOptions)
    thresholds: Vector | None = None
    excluded_patients: Sequence[Collection[str]] = ()  # the keys that each may be stored under
    prior: LabelSetPrior = field(default_factory=shipped_prior)
    trust: Trust = field(default_factory=Trust)  # in the gallery's encoder

    def fusion(self, gallery: Statistics) -> Fusion:
        """How picture and report become one for this query."""
        return self.trust.fusion(gallery, self.prior, self.options.evidence)

    @property
    def only_reports_know(self) -> bool:
        """Whether nothing that is asked for can be told from a picture."""
        asked = self.weights > 0
        return self.options.evidence == "report" or not (asked & np.array(self.trust.proven)).any()
