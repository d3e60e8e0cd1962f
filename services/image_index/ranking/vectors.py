"""Labels by name, as the wire has them, and by position, as arithmetic has them: the one place that turns them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from shared.labels import LABELS, LabelName

_PLACES = 7  # those behind are not in a float32


def vector(weights: Mapping[LabelName, float]) -> Vector:
    """(14,) from names; what is not named is 0."""
    return np.array([weights.get(name, 0.0) for name in LABELS], dtype=np.float64)


def named(probabilities: NDArray[np.floating]) -> dict[LabelName, float]:
    """(14,) by name, to seven places."""
    return {name: round(float(p), _PLACES) for name, p in zip(LABELS, probabilities, strict=True)}
