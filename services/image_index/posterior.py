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

import numpy as np
from numpy.typing import NDArray

from services.image_index.prior import LabelSetPrior, Vector

Matrix = NDArray[np.float64]

MOST_READINGS = 64
_BLOCK = 4096  # images at a time: (S, 4096) float64 stay in the cache


@dataclass(frozen=True)
class Posterior:
    """evidence, marginals (14, N); log_z (N,): what the score of any query needs of N images."""

    evidence: Matrix
    marginals: Matrix
    log_z: Vector


@dataclass(frozen=True)
class Match:
    """(N,) each. `exact`: the probability that the image shows exactly the query's findings. `overlap`: the expected
    intersection over union of query and image. `score`: their geometric mean.
    """

    exact: Vector
    overlap: Vector

    @property
    def score(self) -> Vector:
        return np.sqrt(self.exact * self.overlap)


def posterior(evidence: Matrix, prior: LabelSetPrior) -> Posterior:
    """Evidence (14, N)."""
    marginals, log_z = np.empty_like(evidence), np.empty(evidence.shape[1])
    members = [np.flatnonzero(one) for one in prior.sets]
    for start in range(0, evidence.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        marginals[:, block], log_z[block] = _block(evidence[:, block], members, prior.log_frequencies)
    return Posterior(evidence, marginals, log_z)


def _block(evidence: Matrix, members: list[NDArray[np.intp]], log_frequencies: Vector) -> tuple[Matrix, Vector]:
    logs = np.empty((len(members), evidence.shape[1]))  # (S, M)
    for place, labels in enumerate(members):
        logs[place] = log_frequencies[place]
        for label in labels:
            logs[place] += evidence[label]
    top = logs.max(axis=0)
    weights = np.exp(logs - top)
    total, marginals = np.zeros_like(top), np.zeros_like(evidence)
    for weight, labels in zip(weights, members, strict=True):
        total += weight
        for label in labels:
            marginals[label] += weight
    return marginals / total, top + np.log(total)


@dataclass(frozen=True)
class Readings:
    """The label sets that a query may mean. sets (R, 14) of 0 and 1; weights (R,), summing to 1; `weights_sum` is of
    the query itself.
    """

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
    """Readings that the prior does not list join its list: they share in Z, and in the marginals."""
    exact, joined = np.zeros_like(images.log_z), np.zeros_like(images.log_z)
    joined_marginals = np.zeros_like(images.marginals)
    relative = list(_log_weights(images, query))
    for log_weight, one, listed in zip(relative, query.sets, query.listed, strict=True):
        if not listed:
            weight = np.exp(np.minimum(log_weight, 700.0))
            joined += weight
            joined_marginals[one > 0] += weight
    for log_weight, weight in zip(relative, query.weights, strict=True):
        exact += weight * np.exp(log_weight - np.log1p(joined))
    if not query.query.any():
        return Match(exact, exact)  # two images without findings overlap entirely, others not at all
    share, sums = np.zeros_like(exact), np.zeros_like(exact)
    for label, weight in enumerate(query.query):
        marginal = (images.marginals[label] + joined_marginals[label]) / (1.0 + joined)
        share += marginal * weight
        sums += marginal
    return Match(exact, share / (float(np.sum(query.query)) + sums - share))


def _log_weights(images: Posterior, query: Readings) -> Iterator[Vector]:
    for one, frequency in zip(query.sets, query.log_frequencies, strict=True):
        total = frequency - images.log_z
        for label in np.flatnonzero(one):
            total = total + images.evidence[label]
        yield total
