"""Which way up a frontal chest radiograph lies: a linear head on the gate's features.

`orientation.npz` is made by `python -m services.image_index.training fit-orientation`; training/gate/README.md says how
well it does.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

SHIPPED = Path(__file__).parent / "orientation.npz"
QUARTERS = 4
Array = NDArray[np.float32]


@dataclass(frozen=True)
class OrientationHead:
    """weights (F, 4), bias (4,): for upright, and for one, two and three quarter turns clockwise."""

    weights: Array
    bias: Array

    @classmethod
    def read(cls, file: Path) -> Self:
        with np.load(file, allow_pickle=False) as arrays:
            return cls(arrays["weights"].astype(np.float32), arrays["bias"].astype(np.float32))

    def write(self, file: Path) -> None:
        """As float16, where no probability moves by a hundredth. Equal heads make equal files."""
        np.savez_compressed(file, weights=self.weights.astype(np.float16), bias=self.bias.astype(np.float16))

    def probabilities(self, features: Array) -> NDArray[np.float64]:
        """(N, F) -> (N, 4)."""
        logits = (features @ self.weights + self.bias).astype(np.float64)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@cache
def shipped_head() -> OrientationHead:
    return OrientationHead.read(SHIPPED)
