"""What needs no network: ridge regression on a thumbnail and a histogram. To beat it is to have learned something."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from services.image_index.evaluation.metrics import PHANTOMS, Scores
from services.image_index.examples.datasets import LabelledImages
from services.image_index.pictures.square import to_square
from shared.labels import LABELS

_THUMBNAIL, _BINS, _PENALTY = 16, 32, 300.0


def ridge_scores(train: LabelledImages, judged: LabelledImages) -> Scores:
    """(N, 14) scores of `judged`; each label is fitted on the real training pictures where it is known."""
    train = train.where(train.sources != PHANTOMS) if (train.sources != PHANTOMS).any() else train
    features = _features(train.pixels)
    centre, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    fitted, asked = (features - centre) / spread, (_features(judged.pixels) - centre) / spread
    scores = np.zeros_like(judged.targets)
    for column in range(len(LABELS)):
        rows = train.known[:, column]
        if rows.any():
            model = Ridge(_PENALTY).fit(fitted[rows], train.targets[rows, column])
            scores[:, column] = model.predict(asked)
    return scores


def _features(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N, S, S) -> (N, 16 * 16 + 32): a thumbnail, and how much of the picture has which brightness."""
    thumbnails = np.stack([to_square(p, _THUMBNAIL).ravel() for p in pixels]) / 255.0
    histograms = np.stack([np.histogram(p, _BINS, (0, 255))[0] / p.size for p in pixels])
    return np.concatenate([thumbnails, histograms], axis=1)
