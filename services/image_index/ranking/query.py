"""What is looked for, and how."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.prior import LabelSetPrior, shipped_prior
from shared.schemas.search import SearchOptions


@dataclass(frozen=True)
class Query:
    """`weights` (14,) in [0, 1]. With `thresholds` (14,), images are 0/1 vectors: probability >= threshold."""

    weights: Vector
    options: SearchOptions = field(default_factory=SearchOptions)
    thresholds: Vector | None = None
    excluded_patients: Sequence[Collection[str]] = ()  # the keys that each may be stored under
    prior: LabelSetPrior = field(default_factory=shipped_prior)
    calibrated: bool = False  # whether the probabilities of the gallery's encoder are
