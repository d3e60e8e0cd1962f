"""The head that tells which way up a radiograph lies: fitted on radiographs turned on purpose, judged on others."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from services.image_index.encoding.chest_gate.features import Features
from services.image_index.encoding.chest_gate.look import look_at
from services.image_index.encoding.chest_gate.orientation import QUARTERS, OrientationHead
from services.image_index.pictures.radiograph import Grey
from services.image_index.training.gate.examples import all_features

_STRENGTH, _STEPS = 0.003, 60  # inverse of the penalty: of .001 to .03 the one that calls fewest upright ones turned


def turned(pictures: Sequence[Grey], quarters: int) -> list[Grey]:
    """Clockwise."""
    return [np.rot90(picture, -quarters) for picture in pictures]


def fit_head(pictures: Sequence[Grey]) -> OrientationHead:
    """Of upright pictures: each is shown all four ways."""
    features = np.concatenate([all_features(turned(pictures, quarters)) for quarters in range(QUARTERS)])
    return _regression(features, np.repeat(np.arange(QUARTERS), len(pictures)))


def _regression(features: Features, quarters: NDArray[np.int64]) -> OrientationHead:
    """Fitted on features of spread 1, which the weights then undo."""
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # so many steps are what is wanted
        fitted = LogisticRegression(C=_STRENGTH, max_iter=_STEPS).fit((features - mean) / spread, quarters)
    weights = fitted.coef_.T / spread[:, None]
    return OrientationHead(weights.astype(np.float32), (fitted.intercept_ - mean @ weights).astype(np.float32))


def told_turned(pictures: Sequence[Grey]) -> dict[str, float]:
    """As served: which share is told to be turned, of the pictures as they are; and which rightly, of each turn."""
    shares = {"pictures": float(len(pictures)), "upright told turned": _share(pictures, 0)}
    return shares | {f"turned by {90 * quarters}": _share(pictures, quarters) for quarters in range(1, QUARTERS)}


def _share(pictures: Sequence[Grey], quarters: int) -> float:
    told = [look_at(picture).turned for picture in turned(pictures, quarters)]
    return float(np.mean([(one == 90 * quarters) if quarters else (one is not None) for one in told]))
