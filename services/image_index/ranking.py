"""Which images are most like a query: exact, and a pure function of the data.

A measure scans all rows in float32 with a bound on its error; the rows that may be among the best k are scored again in
float64, label by label in a fixed order, and rounded to 1e-9. So neither the order of insertion, nor the place of a row
in memory, nor the width of a vector unit can change an answer. Ties are broken by image_id.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.image_index.evidence import evidence_against
from services.image_index.gallery import Gallery
from services.image_index.measures import MEASURES, Context, Scores, scan_overlaps
from services.image_index.posterior import expected_overlap, match, posterior, readings
from services.image_index.prior import LabelSetPrior, Vector, shipped_prior
from shared.labels import LABELS, LabelName
from shared.schemas.search import DEFAULT_RANKING, GroupBy, RankingName, SearchFilters

DECIMALS = 9
_OVERLAP_ERROR = 1e-4  # far more than float32 loses of an expected overlap


def vector(weights: Mapping[LabelName, float]) -> Vector:
    """(14,) from names; what is not named weighs 0."""
    return np.array([weights.get(name, 0.0) for name in LABELS], dtype=np.float64)


@dataclass(frozen=True)
class Query:
    """`weights` (14,) in [0, 1]. With `thresholds` (14,), images are 0/1 vectors: probability >= threshold."""

    weights: Vector
    k: int = 5
    ranking: RankingName = DEFAULT_RANKING
    thresholds: Vector | None = None
    min_score: float | None = None
    min_overlap: float | None = None  # expected; images with less are left out
    group_by: GroupBy = "image"
    offset: int = 0  # so many of the best are left out
    filters: SearchFilters = field(default_factory=SearchFilters)
    prior: LabelSetPrior = field(default_factory=shipped_prior)


@dataclass(frozen=True)
class Ranked:
    """`exact`, `overlaps`: of each row, whatever the ranking, the probability that the image shows exactly the query's
    findings, and the expected intersection over union of what both show.
    """

    rows: list[int]  # best first
    scores: list[float]
    exact: list[float]
    overlaps: list[float]
    candidates: int
    ties_at_cutoff: int


def rank(gallery: Gallery, query: Query, passing: NDArray[np.bool_] | None = None) -> Ranked:
    """The best `query.k` of the rows that pass. A query without any positive weight finds nothing."""
    rows = gallery.rows(passing)
    if not query.weights.any() or rows.size == 0:
        return Ranked([], [], [], [], int(rows.size), 0)
    good = rows if query.min_overlap is None else _overlapping(gallery, query, rows)
    found, scores, ties = _ranked(gallery, query, good)
    exact, overlaps = _promises(gallery, query, found)
    return Ranked(
        rows=found.tolist(),
        scores=scores.tolist(),
        exact=exact.tolist(),
        overlaps=overlaps.tolist(),
        candidates=int(rows.size),
        ties_at_cutoff=ties,
    )


def _promises(gallery: Gallery, query: Query, rows: NDArray[np.intp]) -> tuple[Vector, Vector]:
    """Probability of an exact match and expected overlap, from the images' probabilities, as 0/1 vectors or not."""
    evidence = evidence_against(gallery.statistics, query.prior.base_rates)
    images = posterior(evidence.of(gallery.probabilities[:, rows]), query.prior)
    meant = readings(query.weights, query.prior)
    return _rounded(match(images, meant).exact), _rounded(expected_overlap(images, meant, query.prior))


def _overlapping(gallery: Gallery, query: Query, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The rows whose expected overlap reaches `min_overlap`; what float32 leaves open is computed exactly."""
    least = query.min_overlap or 0.0
    approximate = scan_overlaps(gallery, query.weights, Context(gallery.statistics, query.prior))[rows]
    unsure = np.abs(approximate - least) < _OVERLAP_ERROR
    reached = approximate >= least
    reached[unsure] = _promises(gallery, query, rows[unsure])[1] >= least
    return np.asarray(rows[reached])


def _ranked(gallery: Gallery, query: Query, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], Vector, int]:
    """The rows of the page that is asked for, their scores, and how many more score as the last of them."""
    scanned = gallery if query.thresholds is None else gallery.binarized(query.thresholds)
    measure, context = MEASURES[query.ranking], Context(scanned.statistics, query.prior)
    approximate, error = measure.scan(scanned, query.weights, context)
    groups = {"image": None, "study": gallery.study, "patient": gallery.patient}[query.group_by]
    wanted = depth = query.offset + query.k
    while True:
        contenders = _contenders(rows, approximate, error, depth)
        exact = measure.exact(scanned.probabilities[:, contenders].astype(np.float64), context)
        scores = _rounded(exact(query.weights))
        if query.min_score is not None:
            good = scores >= query.min_score
            contenders, scores = contenders[good], scores[good]
        ids = gallery.image_ids(contenders)
        if groups is None:
            best, ties = _best(scores, ids, wanted)
            break
        best, ties = _best_of_groups(scores, ids, groups[contenders].tolist(), depth, wanted)
        if len(best) == wanted or depth >= rows.size or len(scores) < depth:
            break
        depth = min(4 * depth, rows.size)  # several of the best were of one group
    page = best[query.offset :]
    return contenders[page], scores[page], ties if page else 0


def _rounded(scores: NDArray[np.floating]) -> Vector:
    return np.asarray(np.round(scores, DECIMALS) + 0.0, dtype=np.float64)  # + 0.0 turns -0.0 into 0.0


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


def _best_of_groups(
    scores: Vector, image_ids: list[str], groups: list[int], depth: int, wanted: int
) -> tuple[list[int], int]:
    """As `_best`, the best of each group only; an image of group -1 stands alone.

    Of `scores`, only the best `depth` and what ties with them are sure to be all there are.
    """
    sure, ties = _best(scores, image_ids, depth)
    if ties:
        sure, _ = _best(scores, image_ids, depth + ties)
    seen: set[int] = set()
    heads = []
    for place in sure:
        if groups[place] < 0 or groups[place] not in seen:
            heads.append(place)
            seen.add(groups[place])
    last = scores[heads[wanted - 1]] if len(heads) >= wanted else None
    return heads[:wanted], sum(scores[place] == last for place in heads[wanted:])
