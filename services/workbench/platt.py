"""Platt scaling: from a logit to a probability that means something."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 1e-9  # a step that changes neither parameter by more is the last
_MOST_STEPS = 50


@dataclass(frozen=True)
class Platt:
    """probability = sigmoid(slope · logit + intercept); as it stands, it changes nothing."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        return _sigmoid(self.slope * logits.astype(np.float64) + self.intercept)


def fit_platt(logits: NDArray[np.floating], truth: NDArray[np.generic], *, pull: tuple[float, float]) -> Platt:
    """Of greatest likelihood, with slope and intercept drawn to 1 and 0 by a normal prior of these two precisions.

    The prior says how many examples it takes to leave the network as it is: a few positives must not bend it far.
    Newton's method, with steps halved until they gain: the loss is convex, and a pull above 0 makes it strictly so.
    """
    true, inputs = truth.astype(np.float64), np.stack([logits.astype(np.float64), np.ones(len(logits))], axis=1)
    unchanged, penalty = np.array([1.0, 0.0]), np.diag(pull)

    def loss(parameters: NDArray[np.float64]) -> float:
        scaled, moved = inputs @ parameters, parameters - unchanged
        return float((np.logaddexp(0.0, scaled) - true * scaled).sum() + 0.5 * moved @ penalty @ moved)

    fitted = unchanged
    for _ in range(_MOST_STEPS):
        chance = _sigmoid(inputs @ fitted)
        gradient = inputs.T @ (chance - true) + penalty @ (fitted - unchanged)
        curvature = (inputs.T * (chance * (1.0 - chance))) @ inputs + penalty
        step = np.linalg.solve(curvature, gradient)
        while np.abs(step).max() > _ENOUGH and loss(fitted - step) > loss(fitted):
            step = step / 2.0
        fitted = fitted - step
        if np.abs(step).max() <= _ENOUGH:
            break
    return Platt(float(fitted[0]), float(fitted[1]))


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-np.logaddexp(0.0, -x))
