"""The original project's protocol, as in its notebook (sohammandal/CheXRetriever, ResNet_Label2Image_Inference).

Each image's true label vector is a query, and the gallery is all images, the query's own included. "mAP@K" is the
average precision over the whole ranking, with an exact match of label sets as relevance, where scikit-learn treats tied
scores as one step. IoU divides by union + 1e-8, so that two images without any label overlap by 0.

The notebook takes the first K of `argsort()[::-1]`, an unstable sort; many scores tie, so its Recall@K hangs on the
sort's accidents. `expected` in the result is what is expected where ties come in random order.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from services.image_index.evaluation.retrieval import ties
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.scorers import BINARY_COSINE, FLOOR, Scorer
from services.image_index.ranking.arrays import Vector

FIGURES = ("recall", "precision", "map", "iou", "ndcg")
_TINY = 1e-8


def judge(predictions: Predictions, scorer: Scorer, k: int, name: str = BINARY_COSINE) -> dict[str, Any]:
    """Mean figures over all images as queries; equal queries are scored once."""
    counts = np.bincount(predictions.query_of)
    rows = [_query(predictions, number, scorer, k, name) for number in range(len(predictions.queries))]
    means = {figure: float(np.average([row[figure] for row in rows], weights=counts)) for figure in rows[0]}
    plain = {figure: means[figure] for figure in FIGURES}
    expected = {figure: means[f"expected_{figure}"] for figure in ("recall", "precision", "map", "iou", "ndcg")}
    return {**(expected if name == FLOOR else plain), "expected": expected}


def _query(predictions: Predictions, number: int, scorer: Scorer, k: int, name: str) -> Mapping[str, float]:
    query = predictions.queries[number].astype(np.float64)
    scores = scorer(query)
    relevant = (predictions.query_of == number).astype(np.float64)
    shared = predictions.truth @ query
    gains = shared / (predictions.truth.sum(axis=1) + query.sum() - shared + _TINY)
    # Others than the notebook's own ranking have no accident to reproduce: their ties keep the order of the table.
    order = np.argsort(scores)[::-1] if name == BINARY_COSINE else np.argsort(-scores, kind="stable")
    top = order[:k]
    sure = np.argsort(-scores, kind="stable")
    tied = ties.groups(scores[sure])
    best = ties.ideal_gain(gains, k)
    return {
        "recall": float(relevant[top].any()),
        "precision": float(relevant[top].mean()),
        "map": average_precision(relevant, scores),
        "iou": float(gains[top].mean()),
        "ndcg": _share(ties.discounted_gain(ties.groups(-np.arange(len(top), dtype=np.float64)), gains[top], k), best),
        "expected_recall": ties.hit_at_k(tied, relevant[sure], k),
        "expected_precision": ties.mean_at_k(tied, relevant[sure], k),
        "expected_map": ties.average_precision(tied, relevant[sure]),
        "expected_iou": ties.mean_at_k(tied, gains[sure], k),
        "expected_ndcg": _share(ties.discounted_gain(tied, gains[sure], k), best),
    }


def average_precision(relevant: Vector, scores: Vector) -> float:
    """Σ (R_n - R_{n-1}) P_n over the distinct scores, as scikit-learn's average_precision_score; some are relevant."""
    order = np.argsort(-scores, kind="stable")
    tied = ties.groups(scores[order])
    count = tied.sums(relevant[order])
    precision = np.cumsum(count) / (tied.start + tied.size)
    return float((count * precision).sum() / count.sum())


def _share(gain: float, best: float) -> float:
    return gain / best if best > 0 else 0.0
