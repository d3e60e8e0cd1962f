"""Whether hits keep what they promise: the exact matches and the overlap that were announced, against those found."""

from typing import Any

import numpy as np

from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.scorers import context_of, overlaps
from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.posterior import expected_overlap, match, posterior, readings
from services.image_index.ranking.prior import LabelSetPrior
from services.workbench.calibration_error import calibration_error, reliability_bins


def promises(predictions: Predictions, prior: LabelSetPrior, k: int) -> dict[str, Any]:
    """Over the first k hits of every query, its own patient's images left out.

    `{"exact" | "overlap": {"promised", "found", "ece", "bins": [{"promised", "found", "hits"}]}}`, the bins of equally
    many hits from the least to the most promising; ece, the expected calibration error, is the mean over hits of how
    far their bin is off.
    """
    images = posterior(context_of(predictions, prior).fusion.log_odds(predictions.known), prior)
    said: list[Vector] = []
    for number, query in enumerate(predictions.queries.astype(np.float64)):
        meant = readings(query, prior)
        found, shared = match(images, meant), expected_overlap(images, meant, prior)
        order = np.argsort(-found.score, kind="stable")
        truth = np.stack([predictions.query_of == number, overlaps(query, predictions.truth)])
        for image in np.flatnonzero(predictions.query_of == number):
            top = order[predictions.patients[order] != predictions.patients[image]][:k]
            said.append(np.stack([found.exact[top], truth[0, top], shared[top], truth[1, top]]))
    exact, matched, overlap, found_overlap = np.concatenate(said, axis=1)
    return {"exact": _reliability(exact, matched), "overlap": _reliability(overlap, found_overlap)}


def _reliability(promised: Vector, found: Vector) -> dict[str, Any]:
    bins = reliability_bins(promised, found)
    return {
        "promised": float(promised.mean()),
        "found": float(found.mean()),
        "ece": calibration_error(promised, found),
        "bins": [{"promised": one.promised, "found": one.found, "hits": one.count} for one in bins],
    }
