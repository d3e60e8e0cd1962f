"""What is true of a gallery as a whole, from sums that are exact: the order in which images came changes nothing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.log_odds import log_odds

MEAN_STEP = 2.0**-38  # probabilities are summed in whole steps of this; sums stay exact up to 2^25 images
LOG_ODDS_STEP = 2.0**-12  # and their log-odds, with their squares, in whole steps of this


@dataclass(frozen=True, eq=False)
class Statistics:
    """(14,) each, over the images of a gallery. Equal to itself alone."""

    images: int
    mean: Vector  # of the probabilities
    center: Vector  # the mean of their log-odds
    spread: Vector  # the standard deviation of their log-odds


def exact_sums(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """(14, N) -> (3, 14): of the probabilities, of their log-odds and of the squares of these, in whole steps."""
    steps = np.rint(probabilities.astype(np.float64) / MEAN_STEP).astype(np.int64)
    odds = np.rint(log_odds(probabilities) / LOG_ODDS_STEP).astype(np.int64)
    return np.stack([steps.sum(axis=1), odds.sum(axis=1), (odds * odds).sum(axis=1)])


def statistics_of(sums: NDArray[np.int64], images: int) -> Statistics:
    """Of so many images with these exact sums."""
    count = max(images, 1)
    steps, odds, squares = sums.astype(np.float64) / count
    variance = np.maximum(squares - odds * odds, 0.0)
    return Statistics(images, steps * MEAN_STEP, odds * LOG_ODDS_STEP, np.sqrt(variance) * LOG_ODDS_STEP)
