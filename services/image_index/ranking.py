"""Which images are most like a query: exact, and a pure function of the data.

A measure scans all rows in float32 with a bound on its error; the rows that may be among the best k are scored again in
float64, label by label in a fixed order, and rounded to 1e-9. So neither the order of insertion, nor the place of a row
in memory, nor the width of a vector unit can change an answer. Ties are broken by image_id.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.image_index.gallery import EPSILON, Gallery
from shared.labels import LABELS, LabelName
from shared.schemas.search import RankingName, SearchFilters

Vector = NDArray[np.float64]
Scores = NDArray[np.float32]

DECIMALS = 9
NO_DIRECTION = 1e-9  # a vector shorter than this has no direction: its cosine with anything is 0


def vector(weights: Mapping[LabelName, float]) -> Vector:
    """(14,) from names; what is not named weighs 0."""
    return np.array([weights.get(name, 0.0) for name in LABELS], dtype=np.float64)


@dataclass(frozen=True)
class Query:
    """`weights` (14,) in [0, 1]. With `thresholds` (14,), images are 0/1 vectors: probability >= threshold."""

    weights: Vector
    k: int = 5
    ranking: RankingName = "soft_jaccard"
    thresholds: Vector | None = None
    min_score: float | None = None
    filters: SearchFilters = field(default_factory=SearchFilters)


@dataclass(frozen=True)
class Ranked:
    rows: list[int]  # best first
    scores: list[float]
    candidates: int
    ties_at_cutoff: int


@dataclass(frozen=True)
class _Measure:
    scan: Callable[[Gallery, Vector], tuple[Scores, Scores | float]]  # float32 scores (N,), bound on their error
    score: Callable[[NDArray[np.float64], Vector, Vector], Vector]  # (14, M) rows, q, gallery mean -> (M,) in float64


def rank(gallery: Gallery, query: Query, passing: NDArray[np.bool_] | None = None) -> Ranked:
    """The best `query.k` of the rows that pass. A query without any positive weight finds nothing."""
    rows = gallery.rows(passing)
    if not query.weights.any() or rows.size == 0:
        return Ranked([], [], int(rows.size), 0)
    if query.thresholds is not None:
        gallery = gallery.binarized(query.thresholds)
    measure = _MEASURES[query.ranking]
    approximate, error = measure.scan(gallery, query.weights)
    contenders = _contenders(rows, approximate, error, query.k)
    exact = measure.score(gallery.probabilities[:, contenders].astype(np.float64), query.weights, gallery.mean)
    scores = np.round(exact, DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0
    if query.min_score is not None:
        good = scores >= query.min_score
        contenders, scores = contenders[good], scores[good]
    best, ties = _best(scores, gallery.image_ids(contenders), query.k)
    return Ranked([int(contenders[i]) for i in best], [float(scores[i]) for i in best], int(rows.size), ties)


def _contenders(rows: NDArray[np.intp], approximate: Scores, error: Scores | float, k: int) -> NDArray[np.intp]:
    """The rows that may be among the best k, or tie with the last of them."""
    scores = approximate[rows]
    if rows.size <= k:
        return rows
    errors = error if isinstance(error, float) else error[rows]
    lowest = scores - errors
    at_least = np.partition(lowest, rows.size - k)[rows.size - k]  # k rows score at least this
    return np.asarray(rows[scores + errors >= at_least])


def _best(scores: Vector, image_ids: list[str], k: int) -> tuple[list[int], int]:
    """Positions in `scores` of the best k, by score and then image_id; and how many more score as the last of them."""
    if len(scores) <= k:
        return sorted(range(len(scores)), key=lambda i: (-scores[i], image_ids[i])), 0
    cutoff = np.partition(scores, len(scores) - k)[len(scores) - k]
    above = sorted(np.flatnonzero(scores > cutoff).tolist(), key=lambda i: (-scores[i], image_ids[i]))
    tied = np.flatnonzero(scores == cutoff).tolist()
    room = k - len(above)
    return above + heapq.nsmallest(room, tied, key=image_ids.__getitem__), len(tied) - room


def _dot(columns: NDArray[np.float64], weights: Vector) -> Vector:
    """(14, M) · (14,) -> (M,), summed in the order of the labels: BLAS would let the order depend on M."""
    total = np.zeros(columns.shape[1])
    for column, weight in zip(columns, weights, strict=True):
        total += column * weight
    return total


def _norm(columns: NDArray[np.float64]) -> Vector:
    total = np.zeros(columns.shape[1])
    for column in columns:
        total += column * column
    return np.asarray(np.sqrt(total))


def _cosines(products: Vector, norms: Vector, query_norm: float) -> Vector:
    scores = np.zeros(len(products))
    directed = norms >= NO_DIRECTION
    if query_norm >= NO_DIRECTION:
        scores[directed] = products[directed] / (norms[directed] * query_norm)
    return scores


def _sum_of(columns: Scores, weights: Vector) -> Scores:
    """(14, N) · (14,) -> (N,) in float32. Reads only the columns that weigh something: for most queries a few."""
    total = np.zeros(columns.shape[1], dtype=np.float32)
    product = np.empty_like(total)
    for label in np.flatnonzero(weights):
        np.multiply(columns[label], np.float32(weights[label]), out=product)
        total += product
    return total


# The bounds below are some ten times what float32 sums of 14 terms can lose (14 · 2^-24 of the sum of magnitudes).


def _scan_soft_jaccard(gallery: Gallery, q: Vector) -> tuple[Scores, float]:
    shared = _sum_of(gallery.probabilities, q)
    return np.asarray(shared / (np.float32(q.sum()) + gallery.sums - shared), dtype=np.float32), 1e-5


def _soft_jaccard(p: NDArray[np.float64], q: Vector, _mean: Vector) -> Vector:
    shared = _dot(p, q)
    return np.asarray(shared / (q.sum() + _dot(p, np.ones(len(q))) - shared))


def _scan_cosine(gallery: Gallery, q: Vector) -> tuple[Scores, Scores]:
    norms = gallery.norms * np.float32(np.linalg.norm(q))
    safe = norms > 1e-6  # below that float32 loses too much: the row is scored again in any case
    scores = np.divide(_sum_of(gallery.probabilities, q), norms, out=np.zeros_like(norms), where=safe)
    return scores, np.where(safe, np.float32(1e-5), np.float32(2))


def _cosine(p: NDArray[np.float64], q: Vector, _mean: Vector) -> Vector:
    return _cosines(_dot(p, q), _norm(p), float(np.linalg.norm(q)))


def _scan_centered_cosine(gallery: Gallery, q: Vector) -> tuple[Scores, Scores]:
    centered_q = q - gallery.mean
    query_norm = float(np.linalg.norm(centered_q))
    centered = gallery.probabilities - gallery.mean.astype(np.float32)[:, None]
    lengths = np.sqrt(np.einsum("ln,ln->n", centered, centered))
    safe = lengths > 1e-4
    if query_norm < NO_DIRECTION:
        return np.zeros_like(lengths), np.zeros_like(lengths)
    products = _sum_of(centered, centered_q / query_norm)
    scores = np.divide(products, lengths, out=np.zeros_like(lengths), where=safe)
    # Subtracting the mean costs about 1e-7 in each label, which weighs the more the shorter the rest is.
    return scores, np.divide(np.float32(1e-5), lengths, out=np.full_like(lengths, 2), where=safe) + np.float32(1e-5)


def _centered_cosine(p: NDArray[np.float64], q: Vector, mean: Vector) -> Vector:
    centered, centered_q = p - mean[:, None], q - mean
    return _cosines(_dot(centered, centered_q), _norm(centered), float(np.linalg.norm(centered_q)))


def _scan_log_likelihood(gallery: Gallery, q: Vector) -> tuple[Scores, float]:
    total = _sum_of(gallery.log_odds, q) + gallery.log_absent
    return np.asarray(total / len(LABELS), dtype=np.float32), 1e-4


def _log_likelihood(p: NDArray[np.float64], q: Vector, _mean: Vector) -> Vector:
    clipped = np.clip(p, EPSILON, 1 - EPSILON)
    return np.asarray((_dot(np.log(clipped), q) + _dot(np.log1p(-clipped), 1 - q)) / len(q))


_MEASURES: dict[RankingName, _Measure] = {
    "soft_jaccard": _Measure(_scan_soft_jaccard, _soft_jaccard),
    "cosine": _Measure(_scan_cosine, _cosine),
    "centered_cosine": _Measure(_scan_centered_cosine, _centered_cosine),
    "log_likelihood": _Measure(_scan_log_likelihood, _log_likelihood),
}
