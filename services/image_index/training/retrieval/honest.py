"""The honest protocol: no image of the query's own patient in its gallery, and no figure that hangs on a sort's accident."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.training.retrieval import ties
from services.image_index.training.retrieval.predictions import Predictions
from services.image_index.training.retrieval.rankings import Scorer, overlaps

FIGURES = ("recall", "precision", "map", "iou", "ndcg", "any_label_recall", "mrr")


@dataclass(frozen=True)
class Judged:
    """`figures` (N, len(FIGURES)): what is expected of each image's true label set as a query."""

    figures: NDArray[np.float64]

    @property
    def means(self) -> Mapping[str, float]:
        return dict(zip(FIGURES, self.figures.mean(axis=0).tolist(), strict=True))


def judge(predictions: Predictions, scorer: Scorer, k: int) -> Judged:
    """Relevance is an exact match of label sets, gain their intersection over union. A query that nothing in its gallery
    matches counts as missed: the ceiling says how many there are. Memory is that of a few vectors of N."""
    figures = np.zeros((len(predictions), len(FIGURES)))
    _, patients = np.unique(predictions.patients, return_inverse=True)
    for number, query in enumerate(predictions.queries.astype(np.float64)):
        scores = scorer(query)
        order = np.argsort(-scores, kind="stable")
        ranked = _Ranked(
            patients[order],
            scores[order],
            (predictions.query_of[order] == number).astype(np.float64),
            overlaps(query, predictions.truth[order]),
        )
        for image in np.flatnonzero(predictions.query_of == number):
            figures[image] = ranked.figures(patients[image], k)
    return Judged(figures)


@dataclass(frozen=True)
class _Ranked:
    """(N,) each, in the order of one query's ranking."""

    patients: NDArray[np.intp]
    scores: NDArray[np.float64]
    relevant: NDArray[np.float64]
    gains: NDArray[np.float64]

    def figures(self, own_patient: int, k: int) -> list[float]:
        others = self.patients != own_patient
        if not others.any():
            return [0.0] * len(FIGURES)
        relevant, gains = self.relevant[others], self.gains[others]
        tied = ties.groups(self.scores[others])
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
