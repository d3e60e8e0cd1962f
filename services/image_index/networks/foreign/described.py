"""A model of other people: what it says of itself, and how its network is built."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from shared.labels import LABELS, LabelName

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True)
class Foreign:
    """`config` is what config.json says of a model folder; `thresholds` has the labels whose threshold is known.

    `build` gives the network with its weights, in eval mode; raises ModelLoadError where they do not fit it.
    """

    config: Mapping[str, Any]
    thresholds: Mapping[LabelName, float]
    weights: Path
    build: Callable[[], nn.Module]

    @property
    def all_thresholds(self) -> dict[LabelName, float]:
        return {label: self.thresholds.get(label, DEFAULT_THRESHOLD) for label in LABELS}
