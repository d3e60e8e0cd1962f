"""Which images are most like a query: exact, and a pure function of the data.

A measure scans all rows in float32 with a bound on its error; the rows that may be among the best k are scored again in
float64, label by label in a fixed order, and rounded to 1e-9. So neither the order of insertion, nor the place of a row
in memory, nor the width of a vector unit can change an answer. Ties are broken by image_id.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.disagreement import Disagreement, disagreement
from services.image_index.ranking.diversity import diversified
from services.image_index.ranking.fusion import Known
from services.image_index.ranking.gallery import Gallery
from services.image_index.ranking.likeness import Duplicates, alike
from services.image_index.ranking.measures import MEASURES, Context, scan_overlaps
from services.image_index.ranking.posterior import expected_overlap, match, posterior, readings
from services.image_index.ranking.query import Query
from services.image_index.ranking.selection import DECIMALS, Repeats, best, best_of_groups, contenders
from services.image_index.ranking.trust import Trust
from shared.schemas.search import DIVERSIFIED

_OVERLAP_ERROR = 1e-4  # far more than float32 loses of an expected overlap


@dataclass(frozen=True)
class Ranked:
    """`exact`, `overlaps`: of each row, whatever the ranking, the probability that the image shows exactly the query's
    findings, and the expected intersection over union of what both show. `probabilities` (14, K): what is to be
    thought of each label, by the evidence that was asked for.
    """

    rows: list[int]  # best first
    scores: list[float]
    exact: list[float]
    overlaps: list[float]
    merged: list[int]  # how many further candidates each row stands for: of its study or patient, or the same picture
    probabilities: NDArray[np.float32]
    disagreement: Disagreement  # of the rows' pictures with their reports
    candidates: int
    ties_at_cutoff: int


def rank(gallery: Gallery, query: Query, passing: NDArray[np.bool_] | None = None) -> Ranked:
    """The best `query.options.k` of the rows that pass. A query without any positive weight finds nothing."""
    rows = _speaking(gallery, query, gallery.rows(passing))
    context = _context(gallery, query)
    good, found, scores, ties = rows, rows[:0], np.empty(0), 0
    if query.weights.any() and rows.size:
        if query.options.min_overlap is not None:
            good = _overlapping(gallery, query, context, rows)
        found, scores, ties = _page(gallery, query, context, good)
    known = gallery.known(found)
    exact, overlaps = _promises(known, query, context)
    return Ranked(
        rows=found.tolist(),
        scores=scores.tolist(),
        exact=exact.tolist(),
        overlaps=overlaps.tolist(),
        merged=_merged(gallery, query, good, found),
        probabilities=context.fusion.probabilities(known),
        disagreement=disagreement(known, context.fusion, query.prior),
        candidates=int(rows.size),
        ties_at_cutoff=ties,
    )


def _speaking(gallery: Gallery, query: Query, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those of the rows of which anything is known that the query asks for."""
    if not query.only_reports_know:
        return rows
    if query.options.evidence == "image":
        return rows[:0]
    return rows[gallery.report[rows] >= 0]


def _context(gallery: Gallery, query: Query) -> Context:
    return Context(gallery.statistics, query.prior, query.trust, query.options.evidence)


def _promises(known: Known, query: Query, context: Context) -> tuple[Vector, Vector]:
    """Probability of an exact match and expected overlap, from what is known of images, as 0/1 vectors or not."""
    images = posterior(context.fusion.log_odds(known), query.prior)
    meant = readings(query.weights, query.prior)
    return _rounded(match(images, meant).exact), _rounded(expected_overlap(images, meant, query.prior))


def _overlapping(gallery: Gallery, query: Query, context: Context, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The rows whose expected overlap reaches `min_overlap`; what float32 leaves open is computed exactly."""
    least = query.options.min_overlap or 0.0
    approximate = scan_overlaps(gallery, query.weights, context)[rows]
    unsure = np.abs(approximate - least) < _OVERLAP_ERROR
    reached = approximate >= least
    reached[unsure] = _promises(gallery.known(rows[unsure]), query, context)[1] >= least
    return np.asarray(rows[reached])


def _page(
    gallery: Gallery, query: Query, context: Context, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Vector, int]:
    """The rows of the page that is asked for, their scores, and how many more score as the last of them."""
    scanned = gallery
    if query.thresholds is not None:
        scanned = gallery.binarized(query.thresholds, context.fusion)
        context = Context(scanned.statistics, query.prior, Trust(), "image")
    end = query.options.offset + query.options.k
    if not query.options.diversity:
        found, scores, ties = _best(scanned, query, context, rows, end)
    else:
        found, scores, _ = _best(scanned, query, context, rows, DIVERSIFIED)
        order, ties = diversified(
            scores, context.fusion.probabilities(scanned.known(found)), query.options.diversity, end
        )
        found, scores = found[order], scores[order]
    return (
        found[query.options.offset :],
        scores[query.options.offset :],
        ties if len(found) > query.options.offset else 0,
    )


def _best(
    scanned: Gallery, query: Query, context: Context, rows: NDArray[np.intp], wanted: int
) -> tuple[NDArray[np.intp], Vector, int]:
    measure = MEASURES[query.options.ranking]
    approximate, error = measure.scan(scanned, query.weights, context)
    groups, depth = _groups(scanned, query), wanted
    one_of_all = groups is None and not query.options.merge_duplicates
    while True:
        contending = contenders(rows, approximate, error, depth)
        exact = measure.exact(scanned.known(contending), context)
        scores = _rounded(exact(query.weights))
        if query.options.min_score is not None:
            good = scores >= query.options.min_score
            contending, scores = contending[good], scores[good]
        ids = scanned.image_ids(contending)
        if one_of_all:
            places, ties = best(scores, ids, wanted)
            break
        seen = _seen(scanned, groups, contending)
        places, ties = best_of_groups(scores, ids, seen, depth, wanted)
        if len(places) == wanted or depth >= rows.size or len(scores) < depth:
            break
        depth = min(4 * depth, rows.size)  # several of the best were of one group
    return contending[places], scores[places], ties


def _seen(gallery: Gallery, groups: NDArray[np.int32] | None, rows: NDArray[np.intp]) -> Callable[[int], bool]:
    """Whether the group of a place in `rows`, or without groups its picture, has been asked about before."""
    if groups is not None:
        return Repeats(groups[rows].tolist())
    return Duplicates(gallery.fingerprints[:, rows])


def _groups(gallery: Gallery, query: Query) -> NDArray[np.int32] | None:
    return {"image": None, "study": gallery.study, "patient": gallery.patient}[query.options.group_by]


def _merged(gallery: Gallery, query: Query, rows: NDArray[np.intp], found: NDArray[np.intp]) -> list[int]:
    if query.options.merge_duplicates:
        prints = gallery.fingerprints[:, rows]
        return [int(alike(prints, gallery.fingerprints[:, row]).sum()) - 1 for row in found]
    groups = _groups(gallery, query)
    if groups is None:
        return [0] * len(found)
    known = groups[rows]
    sizes = np.bincount(known[known >= 0], minlength=1)
    return [int(sizes[code]) - 1 if code >= 0 else 0 for code in groups[found].tolist()]


def _rounded(scores: NDArray[np.floating]) -> Vector:
    return np.asarray(np.round(scores, DECIMALS) + 0.0, dtype=np.float64)  # + 0.0 turns -0.0 into 0.0
