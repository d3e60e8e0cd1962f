"""How alike a query and an image are: every measure once as a fast scan of all images, and once exactly.

A scan works in float32 and says how far it may be off; the exact form works in float64, label by label in one order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Scores, Vector
from services.image_index.ranking.fused import Fused
from services.image_index.ranking.fusion import Fusion, Known
from services.image_index.ranking.gallery import Gallery
from services.image_index.ranking.log_odds import EPSILON
from services.image_index.ranking.posterior import expected_overlap, match, posterior, readings
from services.image_index.ranking.prior import LabelSetPrior
from services.image_index.ranking.statistics import Statistics
from services.image_index.ranking.trust import Trust
from shared.labels import LABELS
from shared.schemas.evidence import EvidenceName
from shared.schemas.search import RankingName

Rows = NDArray[np.float64]  # (14, M): the probabilities of some images

NO_DIRECTION = 1e-9  # a vector shorter than this has no direction: its cosine with anything is 0
_SCAN_BLOCK = 16_384  # images at a time, where a query has many readings


@dataclass(frozen=True)
class Context:
    """What a score hangs on beside query and image."""

    gallery: Statistics
    prior: LabelSetPrior
    trust: Trust
    evidence: EvidenceName = "all"

    @cached_property
    def fusion(self) -> Fusion:
        return self.trust.fusion(self.gallery, self.prior, self.evidence)

    @cached_property
    def mean(self) -> Vector:
        """(14,) of the pictures' probabilities; of labels that these prove nothing of, what is told of each image."""
        return np.where(self.fusion.silent, self.prior.base_rates, self.gallery.mean)


@dataclass(frozen=True)
class Measure:
    scan: Callable[[Gallery, Vector, Context], tuple[Scores, Scores | float]]  # scores (N,), bound on their error
    exact: Callable[[Known, Context], Callable[[Vector], Vector]]  # of these images: query (14,) -> scores (M,)


def _dot(columns: Rows, weights: Vector) -> Vector:
    """(14, M) · (14,) -> (M,), summed in the order of the labels: BLAS would let the order depend on M."""
    total = np.zeros(columns.shape[1])
    for column, weight in zip(columns, weights, strict=True):
        total += column * weight
    return total


def _norm(columns: Rows) -> Vector:
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


def _scan_soft_jaccard(gallery: Gallery, q: Vector, context: Context) -> tuple[Scores, float]:
    images = _fused(gallery, context)
    shared = _sum_of(images.probabilities, q)
    return np.asarray(shared / (np.float32(q.sum()) + images.sums - shared), dtype=np.float32), 1e-5


def _soft_jaccard(p: Rows, q: Vector, _mean: Vector) -> Vector:
    shared = _dot(p, q)
    return np.asarray(shared / (q.sum() + _dot(p, np.ones(len(q))) - shared))


def _scan_cosine(gallery: Gallery, q: Vector, context: Context) -> tuple[Scores, Scores]:
    images = _fused(gallery, context)
    norms = images.norms * np.float32(np.linalg.norm(q))
    safe = norms > 1e-6  # below that float32 loses too much: the row is scored again in any case
    scores = np.divide(_sum_of(images.probabilities, q), norms, out=np.zeros_like(norms), where=safe)
    return scores, np.where(safe, np.float32(1e-5), np.float32(2))


def _cosine(p: Rows, q: Vector, _mean: Vector) -> Vector:
    return _cosines(_dot(p, q), _norm(p), float(np.linalg.norm(q)))


def _scan_centered_cosine(gallery: Gallery, q: Vector, context: Context) -> tuple[Scores, Scores]:
    centered_q = q - context.mean
    query_norm = float(np.linalg.norm(centered_q))
    centered = _fused(gallery, context).probabilities - context.mean.astype(np.float32)[:, None]
    lengths = np.sqrt(np.einsum("ln,ln->n", centered, centered))
    safe = lengths > 1e-4
    if query_norm < NO_DIRECTION:
        return np.zeros_like(lengths), np.zeros_like(lengths)
    products = _sum_of(centered, centered_q / query_norm)
    scores = np.divide(products, lengths, out=np.zeros_like(lengths), where=safe)
    # Subtracting the mean costs about 1e-7 in each label, which weighs the more the shorter the rest is.
    return scores, np.divide(np.float32(1e-5), lengths, out=np.full_like(lengths, 2), where=safe) + np.float32(1e-5)


def _centered_cosine(p: Rows, q: Vector, mean: Vector) -> Vector:
    centered, centered_q = p - mean[:, None], q - mean
    return _cosines(_dot(centered, centered_q), _norm(centered), float(np.linalg.norm(centered_q)))


def _scan_log_likelihood(gallery: Gallery, q: Vector, context: Context) -> tuple[Scores, float]:
    images = _fused(gallery, context)
    total = _sum_of(images.log_odds, q) + images.log_absent
    return np.asarray(total / len(LABELS), dtype=np.float32), 1e-4


def _log_likelihood(p: Rows, q: Vector, _mean: Vector) -> Vector:
    clipped = np.clip(p, EPSILON, 1 - EPSILON)
    return np.asarray((_dot(np.log(clipped), q) + _dot(np.log1p(-clipped), 1 - q)) / len(q))


def _fused(gallery: Gallery, context: Context) -> Fused:
    return gallery.fused(context.fusion)


def scan_overlaps(gallery: Gallery, q: Vector, context: Context) -> Scores:
    """(N,) expected intersections over unions."""
    images = gallery.posteriors(context.fusion, context.prior)
    return expected_overlap(images, readings(q, context.prior), context.prior)


def _scan_label_set_posterior(gallery: Gallery, q: Vector, context: Context) -> tuple[Scores, Scores]:
    query, images = readings(q, context.prior), gallery.posteriors(context.fusion, context.prior)
    scores = np.empty_like(images.log_z)
    for start in range(0, len(scores), _SCAN_BLOCK):
        block = slice(start, start + _SCAN_BLOCK)
        scores[block] = match(images.block(block), query).score
    # A logarithm of some hundreds is off by some 1e-5 in float32, and its exponential by as much of itself.
    return scores, scores * np.float32(1e-4) + np.float32(1e-9)


def _label_set_posterior(known: Known, context: Context) -> Callable[[Vector], Vector]:
    images = posterior(context.fusion.log_odds(known), context.prior)
    return lambda q: np.asarray(match(images, readings(q, context.prior)).score, dtype=np.float64)


def _each(score: Callable[[Rows, Vector, Vector], Vector]) -> Callable[[Known, Context], Callable[[Vector], Vector]]:
    """For measures that compare probabilities."""

    def prepared(known: Known, context: Context) -> Callable[[Vector], Vector]:
        p = context.fusion.probabilities(known).astype(np.float64)
        return lambda q: score(p, q, context.mean)

    return prepared


MEASURES: Mapping[RankingName, Measure] = {
    "label_set_posterior": Measure(_scan_label_set_posterior, _label_set_posterior),
    "soft_jaccard": Measure(_scan_soft_jaccard, _each(_soft_jaccard)),
    "cosine": Measure(_scan_cosine, _each(_cosine)),
    "centered_cosine": Measure(_scan_centered_cosine, _each(_centered_cosine)),
    "log_likelihood": Measure(_scan_log_likelihood, _each(_log_likelihood)),
}
