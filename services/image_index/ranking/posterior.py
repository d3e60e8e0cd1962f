"""The probability that an image shows exactly a given set of findings, by Bayes over whole label sets.

With pi(s) the frequency of label set s in reports and e_l(x) the evidence of image x for label l, that is by how much
its log-odds exceed those of the gallery:

    log w(s|x) = Σ_l s_l e_l(x) + log pi(s) - log Z(x)        summed to 1 over the sets
    m_l(x)     = Σ_s w(s|x) s_l                               the posterior marginals

log w(q|x) is linear in the evidence plus one number an image, so an image needs e, m and log Z, nothing wider.

Everything is summed in one fixed order in float64, image by image, so that the width of a vector unit or the place of
an image in memory can change nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Matrix, Vector
from services.image_index.ranking.prior import LabelSetPrior, holding

Columns = NDArray[np.floating]  # float64 where scores are exact, float32 where images are scanned

MOST_READINGS = 64
_BLOCK = 1024  # images at a time: fastest of 128 to 4096
_OVERLAP_BLOCK = 4096


@dataclass(frozen=True)
class Posterior:
    """What the score of any query needs of N images. evidence, marginals (14, N); marginal_sums, log_z (N,)."""

    evidence: Columns
    marginals: Columns
    marginal_sums: Columns
    log_z: Columns

    def block(self, rows: slice) -> "Posterior":
        return Posterior(self.evidence[:, rows], self.marginals[:, rows], self.marginal_sums[rows], self.log_z[rows])


@dataclass(frozen=True)
class Match:
    """(N,) each. `exact`: the probability that the image shows exactly the query's findings. `overlap`: the soft
    intersection over union of the query with the image's marginals, a little below the expected one.
    """

    exact: Columns
    overlap: Columns

    @property
    def score(self) -> Columns:
        """Their geometric mean."""
        return np.sqrt(self.exact * self.overlap)


def posterior(evidence: Matrix, prior: LabelSetPrior) -> Posterior:
    """Evidence (14, N)."""
    marginals, log_z = np.empty_like(evidence), np.empty(evidence.shape[1])
    for block in _blocks(evidence.shape[1], _BLOCK):
        marginals[:, block], log_z[block] = _block(evidence[:, block], prior.holding, prior.log_frequencies)
    sums = np.zeros_like(log_z)
    for marginal in marginals:
        sums += marginal
    return Posterior(evidence, marginals, sums, log_z)


def _block(evidence: Matrix, held: list[NDArray[np.intp]], log_frequencies: Vector) -> tuple[Matrix, Vector]:
    logs = _logs(evidence, held, log_frequencies)
    top = logs.max(axis=0)
    weights = np.exp(logs - top)
    total = _summed(weights)
    marginals = np.stack([_summed(weights[sets]) for sets in held])
    return marginals / total, top + np.log(total)


def _blocks(images: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, images, size))


def _logs(evidence: Columns, held: list[NDArray[np.intp]], log_frequencies: Vector) -> Columns:
    """(14, M), (S,) -> (S, M): log w(s|x) + log Z(x)."""
    logs = np.repeat(log_frequencies.astype(evidence.dtype)[:, None], evidence.shape[1], axis=1)
    for one, sets in zip(evidence, held, strict=True):
        logs[sets] += one
    return logs


def _summed(weights: Columns) -> Columns:
    """(S, M) -> (M,), one after the other: so `sum` adds rows, but a single column it would add by pairs."""
    return np.asarray(weights.cumsum(axis=0)[-1] if weights.shape[1] == 1 and len(weights) else weights.sum(axis=0))


@dataclass(frozen=True)
class Readings:
    """The label sets that a query (14,) may mean: sets (R, 14) of 0 and 1; weights (R,), summing to 1."""

    query: Vector
    sets: Matrix
    weights: Vector
    log_frequencies: Vector  # (R,) log pi
    listed: NDArray[np.bool_]  # (R,) whether the prior lists the set, so that Z counts it already


def readings(query: Vector, prior: LabelSetPrior) -> Readings:
    """Kept from call to call: a search asks for them when it scans, when it scores, and when it says what to expect."""
    return _readings(np.asarray(query, dtype=np.float64).tobytes(), prior)


@lru_cache(maxsize=256)
def _readings(weights_of_query: bytes, prior: LabelSetPrior) -> Readings:
    """A query of zeros and ones means one set. A weight between says how probable it is that the label is meant: each
    choice of such labels is one reading, the MOST_READINGS most probable are kept, and the one that means nothing at
    all is left out (a query that weighs something asks for something).
    """
    query = np.frombuffer(weights_of_query)
    sets, weights = np.zeros((1, len(query))), np.ones(1)
    for label in np.flatnonzero(query):
        present = sets.copy()
        present[:, label] = 1.0
        sets = np.concatenate([present, sets])
        weights = np.concatenate([weights * query[label], weights * (1.0 - query[label])])
        best = np.argsort(-weights, kind="stable")[:MOST_READINGS]
        best = best[weights[best] > 0]
        sets, weights = sets[best], weights[best]
    if query.any():
        meant = sets.any(axis=1)
        sets, weights = sets[meant], weights[meant]
    return Readings(query, sets, weights / weights.sum(), prior.log_frequencies_of(sets), prior.positions(sets) >= 0)


def match(images: Posterior, query: Readings) -> Match:
    """Readings that the prior does not list join its list: they share in Z and in the marginals."""
    logs = [_log_weight(images, one, float(log)) for one, log in zip(query.sets, query.log_frequencies, strict=True)]
    shared, sums = _dot(images.marginals, query.query), images.marginal_sums
    if query.listed.all():
        weights = [np.exp(log) for log in logs]
    else:
        weights, shared, sums = _joined(logs, shared, sums, query)
    exact = np.zeros_like(images.log_z)
    for weight, share in zip(weights, query.weights.tolist(), strict=True):
        exact += share * weight
    if not query.query.any():
        return Match(exact, exact)  # two images without findings overlap entirely, others not at all
    return Match(exact, shared / (float(query.query.sum()) + sums - shared))


def _joined(
    logs: list[Columns], shared: Columns, sums: Columns, query: Readings
) -> tuple[list[Columns], Columns, Columns]:
    """The weight of each reading, what the marginals share with the query, and their sum, once unlisted readings count
    beside the listed sets: `logs` are those weights, logarithmic and yet without them.
    """
    joining = np.flatnonzero(~query.listed)
    top = np.zeros_like(sums)
    for place in joining:
        np.maximum(top, logs[place], out=top)
    weights = [np.exp(log - top) for log in logs]
    kept = np.exp(-top)  # what the listed sets weigh beside those that join them
    total = kept.copy()
    shared, sums = kept * shared, kept * sums
    for place in joining:
        total += weights[place]
        shared += weights[place] * float(query.sets[place] @ query.query)
        sums += weights[place] * float(query.sets[place].sum())
    return [weight / total for weight in weights], shared / total, sums / total


def expected_overlap(images: Posterior, query: Readings, prior: LabelSetPrior) -> Columns:
    """(N,) the expected intersection over union of the label set that is meant and the one that the image shows.

    Slower than `match`: it goes through all listed sets that share a label with the query.
    """
    joining = ~query.listed
    sets = np.concatenate([query.sets[joining], prior.sets])
    logs = np.concatenate([query.log_frequencies[joining], prior.log_frequencies])
    overlaps = _intersections_over_unions(query.sets, sets).T @ query.weights  # (R, S).T @ (R,)
    counts = overlaps > 0
    counts[: joining.sum()] = True
    sets, logs, overlaps = sets[counts], logs[counts], overlaps[counts].astype(images.log_z.dtype)
    held, expected = holding(sets), np.empty_like(images.log_z)
    for block in _blocks(len(expected), _OVERLAP_BLOCK):
        some = images.block(block)
        weights = _logs(some.evidence, held, logs) - some.log_z
        top = np.max(weights[: joining.sum()], axis=0, initial=0.0)
        weights = np.exp(weights - top)
        total = np.exp(-top) + _summed(weights[: joining.sum()])  # of the listed sets, and of those that join them
        expected[block] = _summed(weights * overlaps[:, None]) / total
    return expected


def _intersections_over_unions(one: Matrix, other: Matrix) -> Matrix:
    """(R, 14), (S, 14) -> (R, S); two sets without any label overlap entirely."""
    shared = one @ other.T
    union = one.sum(axis=1)[:, None] + other.sum(axis=1) - shared
    return np.asarray(np.divide(shared, union, out=np.ones_like(shared), where=union > 0))


def _log_weight(images: Posterior, label_set: Vector, log_frequency: float) -> Columns:
    total = log_frequency - images.log_z
    for label in np.flatnonzero(label_set):
        total += images.evidence[label]
    return total


def _dot(columns: Columns, weights: Vector) -> Columns:
    """(14, N) · (14,) -> (N,); reads only the columns that weigh something."""
    total: Columns = np.zeros_like(columns[0])
    for label in np.flatnonzero(weights):
        total += columns[label] * float(weights[label])
    return total
