"""The probability that an image shows exactly a given set of findings, by Bayes over whole label sets.

With pi(s) the frequency of label set s in reports and e_l(x) the evidence of image x for label l, that is by how much
its log-odds exceed those of the gallery:

    log w(s|x) = Σ_l s_l e_l(x) + log pi(s) - log Z(x)        summed to 1 over the sets
    m_l(x)     = Σ_s w(s|x) s_l                               the posterior marginals

log w(q|x) is linear in the evidence plus one number an image, so an image needs e, m and log Z, nothing wider.

Everything is summed in one fixed order in float64, image by image, so that the width of a vector unit or the place of
an image in memory can change nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.prior import LabelSetPrior, Vector

Matrix = NDArray[np.float64]
Columns = NDArray[np.floating]  # float64 where scores are exact, float32 where images are scanned

MOST_READINGS = 64
_BLOCK = 1024  # images at a time: fastest of 128 to 4096


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
    holding = [np.flatnonzero(present) for present in prior.sets.T]  # of each label, the sets that hold it
    for start in range(0, evidence.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        marginals[:, block], log_z[block] = _block(evidence[:, block], holding, prior.log_frequencies)
    sums = np.zeros_like(log_z)
    for marginal in marginals:
        sums += marginal
    return Posterior(evidence, marginals, sums, log_z)


def _block(evidence: Matrix, holding: list[NDArray[np.intp]], log_frequencies: Vector) -> tuple[Matrix, Vector]:
    logs = np.repeat(log_frequencies[:, None], evidence.shape[1], axis=1)  # (S, M)
    for one, sets in zip(evidence, holding, strict=True):
        logs[sets] += one
    top = logs.max(axis=0)
    weights = np.exp(logs - top)
    total = _summed(weights)
    marginals = np.stack([_summed(weights[sets]) for sets in holding])
    return marginals / total, top + np.log(total)


def _summed(weights: Matrix) -> Vector:
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
    """A query of zeros and ones means one set. A weight between says how probable it is that the label is meant: each
    choice of such labels is one reading, the MOST_READINGS most probable are kept, and the one that means nothing at
    all is left out (a query that weighs something asks for something).
    """
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
    sets = np.concatenate([prior.sets, query.sets[joining]])
    logs = np.concatenate([prior.log_frequencies, query.log_frequencies[joining]])
    overlaps = _intersections_over_unions(query.sets, sets).T @ query.weights  # (R, S).T @ (R,)
    listed = len(prior.sets)
    shared, joined = np.zeros_like(images.log_z), np.zeros_like(images.log_z)
    top = np.zeros_like(images.log_z)
    for one, log in zip(sets[listed:], logs[listed:], strict=True):
        np.maximum(top, _log_weight(images, one, float(log)), out=top)
    for place, overlap in enumerate(overlaps.tolist()):
        if overlap == 0 and place < listed:
            continue
        weight = np.exp(_log_weight(images, sets[place], float(logs[place])) - top)
        shared += weight * overlap
        if place >= listed:
            joined += weight
    return shared / (np.exp(-top) + joined)


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
