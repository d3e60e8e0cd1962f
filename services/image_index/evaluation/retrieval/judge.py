"""Judges rankings on a table of predictions, under either protocol."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from services.image_index.evaluation.retrieval import honest, original
from services.image_index.evaluation.retrieval.intervals import intervals
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.promises import promises
from services.image_index.evaluation.retrieval.scorers import CEILING, FLOOR, scorers
from services.image_index.ranking.prior import LabelSetPrior
from shared.schemas.search import DEFAULT_RANKING, RankingName

Protocol = Literal["original", "honest"]


def evaluate(
    predictions: Predictions,
    prior: LabelSetPrior,
    names: list[RankingName],
    *,
    k: int = 5,
    protocol: Protocol = "original",
    on_ranking: Callable[[str], None] = lambda _name: None,
) -> dict[str, Any]:
    """`{"default_ranking", "rankings": {name: figures}, "floor": figures, "ceiling": figures, "promises", ...}`."""
    judged: dict[str, dict[str, Any]] = {}
    for name, scorer in scorers(predictions, prior, names).items():
        on_ranking(name)
        if protocol == "original":
            judged[name] = original.judge(predictions, scorer, k, name)
        else:
            judged[name] = _with_intervals(predictions, honest.judge(predictions, scorer, k))
    return {
        "protocol": protocol,
        "k": k,
        "images": len(predictions),
        "patients": len(np.unique(predictions.patients)),
        "label_sets": len(predictions.queries),
        "prior_sha256": prior.digest,
        "default_ranking": DEFAULT_RANKING,
        "floor": judged.pop(FLOOR),
        "ceiling": judged.pop(CEILING),
        "rankings": judged,
        "promises": promises(predictions, prior, k),
    }


def _with_intervals(predictions: Predictions, judged: honest.Judged) -> dict[str, Any]:
    """95 % intervals by patient, and by label set: a few large groups of equal queries decide the means."""
    by_patient = intervals(judged.figures, predictions.patients)
    by_label_set = intervals(judged.figures, predictions.query_of)
    return {
        **judged.means,
        "intervals": {
            cluster: {figure: bounds[:, column].tolist() for column, figure in enumerate(honest.FIGURES)}
            for cluster, bounds in (("patient", by_patient), ("label_set", by_label_set))
        },
    }
