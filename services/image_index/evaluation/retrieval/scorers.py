"""The rankings that are judged, as scores of all images for one query. The service's own code computes them."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.measures import MEASURES, Context
from services.image_index.ranking.prior import LabelSetPrior
from services.image_index.ranking.selection import DECIMALS
from services.image_index.ranking.statistics import exact_sums, statistics_of
from services.image_index.ranking.trust import Fit
from shared.schemas.evidence import EvidenceName
from shared.schemas.search import DEFAULT_RANKING, RankingName

Scorer = Callable[[Vector], Vector]  # query (14,) -> scores (N,)

BINARY_COSINE = "binary_cosine"
BY_ONE_ALONE: Mapping[str, EvidenceName] = {
    f"{DEFAULT_RANKING}, pictures alone": "image",
    f"{DEFAULT_RANKING}, reports alone": "report",
}
FLOOR, CEILING = "random", "true_labels"


def scorers(
    predictions: Predictions, prior: LabelSetPrior, names: list[RankingName], fit: Fit | None = None
) -> Mapping[str, Scorer]:
    """The original's way, the service's rankings, and what they lie between: chance, and a gallery of true labels.

    Where images have reports: every ranking with both, and the default one by pictures and by reports alone.
    """

    def ranking(name: RankingName, evidence: EvidenceName = "all") -> Scorer:
        return _rounded(MEASURES[name].exact(predictions.known, context_of(predictions, prior, evidence, fit)))

    alone = BY_ONE_ALONE if predictions.reports is not None and DEFAULT_RANKING in names else {}
    return {
        BINARY_COSINE: lambda query: _binary_cosine(query, predictions.predicted),
        **{name: ranking(name) for name in names},
        **{name: ranking(DEFAULT_RANKING, evidence) for name, evidence in alone.items()},
        FLOOR: lambda _query: np.zeros(len(predictions)),
        CEILING: lambda query: overlaps(query, predictions.truth),
    }


def context_of(
    predictions: Predictions, prior: LabelSetPrior, evidence: EvidenceName = "all", fit: Fit | None = None
) -> Context:
    statistics = statistics_of(exact_sums(predictions.probabilities.T), len(predictions))
    return Context(statistics, prior, predictions.trust(fit), evidence)


def _binary_cosine(query: Vector, predicted: NDArray[np.int8]) -> Vector:
    from sklearn.metrics.pairwise import cosine_similarity  # noqa: PLC0415 - `calibrate` ranks without it

    return np.asarray(cosine_similarity([query], predicted)[0])


def overlaps(query: Vector, truth: NDArray[np.int8]) -> Vector:
    """(N,) intersection over union of two label sets; two sets without any label are equal, so 1."""
    shared = truth @ query
    union = truth.sum(axis=1) + query.sum() - shared
    return np.asarray(np.divide(shared, union, out=np.ones(len(truth)), where=union > 0))


def _rounded(scorer: Scorer) -> Scorer:
    def rounded(query: Vector) -> Vector:
        return np.asarray(np.round(scorer(query), DECIMALS))

    return rounded
