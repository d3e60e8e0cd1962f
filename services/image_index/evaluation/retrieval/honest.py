"""The honest protocol: no image of the query's own patient in its gallery, no figure that hangs on a sort."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.retrieval import ties
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.scorers import Scorer, overlaps
from services.image_index.ranking.arrays import Vector

FIGURES = ("recall", "precision", "map", "iou", "ndcg", "any_label_recall", "mrr")


@dataclass(frozen=True)
class Judged:
    """`figures` (N, len(FIGURES)): what is expected of the true label set of each image that was asked for."""

    figures: NDArray[np.float64]

    @property
    def means(self) -> Mapping[str, float]:
        return dict(zip(FIGURES, self.figures.mean(axis=0).tolist(), strict=True))


def judge(predictions: Predictions, scorer: Scorer, k: int, asked: NDArray[np.intp] | None = None) -> Judged:
    """`asked`: the images whose label sets are the queries; all, if not given.

    Relevance is an exact match of label sets, gain their intersection over union. A query that nothing in its gallery
    matches counts as missed: the ceiling says how many there are. Memory is that of a few vectors of N.
    """
    images = np.arange(len(predictions)) if asked is None else asked
    query_of = predictions.query_of[images]
    figures = np.zeros((len(images), len(FIGURES)))
    _, patients = np.unique(predictions.patients, return_inverse=True)
    for number in np.unique(query_of):
        query = predictions.queries[number].astype(np.float64)
        scores = scorer(query)
        order = np.argsort(-scores, kind="stable")  # sorted once for all images that ask the same
        owners, scores = patients[order], scores[order]
        relevant = (predictions.query_of[order] == number).astype(np.float64)
        gains = overlaps(query, predictions.truth[order])
        for place in np.flatnonzero(query_of == number):
            others = owners != patients[images[place]]
            figures[place] = figures_of(scores[others], relevant[others], gains[others], k)
    return Judged(figures)


def figures_of(scores: Vector, relevant: Vector, gains: Vector, k: int) -> list[float]:
    """In the order of FIGURES, of one query; the images are in descending order of score."""
    if not len(scores):
        return [0.0] * len(FIGURES)
    tied = ties.groups(scores)
    best = ties.ideal_gain(gains, k)
    return [
        ties.hit_at_k(tied, relevant, k),
        ties.mean_at_k(tied, relevant, k),
        ties.average_precision(tied, relevant),
        ties.mean_at_k(tied, gains, k),
        ties.discounted_gain(tied, gains, k) / best if best > 0 else 0.0,
        ties.hit_at_k(tied, (gains > 0).astype(np.float64), k),
        ties.reciprocal_rank(tied, relevant),
    ]
