"""Teaches one label anew to a trained encoder: its output alone, on the features that the network has as it is.

The output is linear in the pooled features, so this is a logistic regression; no other output moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from torch import nn

from services.image_index.evaluation.metrics import LabelFigures, Scores, label_figures
from services.image_index.examples.datasets import LabelledImages
from services.image_index.networks.build import CentredNet
from services.image_index.networks.ensemble import EnsembleNet
from services.image_index.networks.label_net import LabelNet
from services.image_index.training.augment import normalise
from shared.labels import LABELS, LabelName

# Inverse strengths of the L2 penalty on standardised features, from the strongest on.
PENALTIES = tuple(10.0**exponent for exponent in np.arange(-6.0, 0.5, 0.5))
_MOST_STEPS = 5000
_BATCH = 32

Features = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """How one label is read: logit = features · weights + bias."""

    weights: NDArray[np.float64]  # (F,)
    bias: float

    def __call__(self, features: Features) -> Scores:
        return (features @ self.weights + self.bias).astype(np.float32)


@dataclass(frozen=True)
class Choice:
    """`losses`: log loss on the validation part by penalty, of which the least was chosen."""

    reading: Reading
    penalty: float
    losses: dict[float, float]


def members_of(network: nn.Module) -> list[LabelNet]:
    """Of a network that `train` or `export` wrote, the networks whose mean it is. Raises ValueError for another."""
    inner = network.network if isinstance(network, CentredNet) else network
    members = list(inner.members) if isinstance(inner, EnsembleNet) else [inner]
    found = [member for member in members if isinstance(member, LabelNet)]
    if not isinstance(network, CentredNet) or len(found) < len(members):
        raise ValueError("only the output of an encoder that was trained here can be fitted again")
    return found


def own_reading(members: Sequence[LabelNet], column: int) -> Reading:
    """How the members together read a label as they are."""
    states = [member.head.state_dict() for member in members]
    weights = np.concatenate([state["weight"][column, :, 0, 0].numpy() for state in states]) / len(states)
    return Reading(weights, float(np.mean([float(state["bias"][column]) for state in states])))


@torch.no_grad()
def feature_maps(members: Sequence[LabelNet], pixels: NDArray[np.uint8]) -> tuple[Features, Features]:
    """(N, S, S) -> pooled features (N, F), of all members side by side, and the mean map of each (F, h, w)."""
    for member in members:
        member.to(memory_format=torch.channels_last)
    pooled, total = [], None
    for start in range(0, len(pixels), _BATCH):
        inputs = normalise(pixels[start : start + _BATCH]).contiguous(memory_format=torch.channels_last)
        maps = torch.cat([member.backbone(inputs) for member in members], dim=1).double().numpy()
        pooled.append(maps.mean(axis=(2, 3)))
        total = maps.sum(axis=0) if total is None else total + maps.sum(axis=0)
    return np.concatenate(pooled), np.asarray(total) / len(pixels)


def choose_reading(
    train: tuple[Features, NDArray[np.float32]],
    validation: tuple[Features, NDArray[np.float32]],
    penalties: Sequence[float] = PENALTIES,
) -> Choice:
    """From features and truth of both parts: fitted on the first, with the penalty of least log loss on the second."""
    readings = {penalty: _fit(*train, penalty) for penalty in penalties}
    features, truth = validation
    losses = {
        penalty: float(log_loss(truth, 1 / (1 + np.exp(-reading(features).astype(np.float64))), labels=[0, 1]))
        for penalty, reading in readings.items()
    }
    best = min(losses, key=lambda penalty: (losses[penalty], penalty))
    return Choice(readings[best], best, losses)


def _fit(features: Features, truth: NDArray[np.float32], penalty: float) -> Reading:
    scale = StandardScaler().fit(features)
    model = LogisticRegression(C=penalty, max_iter=_MOST_STEPS).fit(scale.transform(features), truth)
    weights = model.coef_[0] / scale.scale_
    return Reading(weights, float(model.intercept_[0] - scale.mean_ @ weights))


def judged(label: LabelName, scores: Scores, images: LabelledImages) -> LabelFigures | None:
    """Of one label's logits (N,), with its interval by patient; None where it cannot be judged."""
    column = LABELS.index(label)
    spread = np.zeros_like(images.targets)
    spread[:, column] = scores
    only = images.known & (np.arange(len(LABELS)) == column)
    return label_figures(spread, images.targets, only, patients=images.patients).get(label)
