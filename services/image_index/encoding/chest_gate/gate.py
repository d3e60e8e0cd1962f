"""The score: a small network on a picture's place among chest radiographs, and its distance from all of them.

`gate.npz` is made by `python -m services.image_index.training fit-chest-gate`; training/gate/README.md says how well it
does.
"""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.image_index.encoding.chest_gate.features import features_of
from services.image_index.pictures.radiograph import Grey

SHIPPED = Path(__file__).parent / "gate.npz"
_FAR = 8.0  # standard deviations beyond which a coordinate says no more
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Parameters:
    """Principal components of chest radiographs' features, and a network with one hidden layer.

    centre (F,); components (F, K), each divided by the standard deviation along it; lengths (K,) are these deviations;
    residual (2,) mean and deviation of the log of what the components leave over; hidden (K + 2, H), hidden_bias (H,);
    output (H,), output_bias (1,).
    """

    centre: Array
    components: Array
    lengths: Array
    residual: Array
    hidden: Array
    hidden_bias: Array
    output: Array
    output_bias: Array

    @classmethod
    def read(cls, file: Path) -> Self:
        with np.load(file, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name].astype(np.float32) for name in cls.__dataclass_fields__})

    def write(self, file: Path) -> None:
        """As float16, where the score keeps its second decimal. Equal parameters make equal files."""
        np.savez_compressed(file, **{name: array.astype(np.float16) for name, array in asdict(self).items()})

    def coordinates(self, features: Array) -> Array:
        """(N, F) -> (N, K + 2): where among chest radiographs; then how far out within their space, and beyond it."""
        offset = features - self.centre
        along = offset @ self.components  # (N, K), in standard deviations
        left_over = (offset**2).sum(axis=1) - ((along * self.lengths) ** 2).sum(axis=1)
        beyond = (np.log(np.maximum(left_over, 1e-9)) - self.residual[0]) / self.residual[1]
        outlying = np.log((along**2).mean(axis=1) + 1e-9)
        distances = np.stack([outlying, np.clip(beyond, -_FAR, _FAR)], axis=1)
        return np.concatenate([np.clip(along, -_FAR, _FAR) / 2, distances], axis=1)

    def logit(self, coordinates: Array) -> NDArray[np.float64]:
        """(N, K + 2) -> (N,)."""
        active = np.maximum(coordinates @ self.hidden + self.hidden_bias, 0)
        return np.asarray(active @ self.output + self.output_bias[0], dtype=np.float64)


class ChestGate:
    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    def score(self, grey: Grey) -> float:
        """From 0 to 1. Fitted so that 0.5 parts chest radiographs from the rest; no probability of anything."""
        return float(self.scores(features_of(grey)[None])[0])

    def scores(self, features: Array) -> NDArray[np.float64]:
        """(N, F) -> (N,)."""
        logits = np.clip(self._parameters.logit(self._parameters.coordinates(features)), -30, 30)
        return np.asarray(1 / (1 + np.exp(-logits)))


@cache
def shipped_gate() -> ChestGate:
    return ChestGate(Parameters.read(SHIPPED))
