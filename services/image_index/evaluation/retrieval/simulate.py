"""Simulated classifiers: label sets as reports have them, and probabilities of a given quality.

A label's log-odds are drawn from two normal distributions, present and absent, that lie d standard deviations apart, so
that its AUROC is Φ(d/√2) and its own calibrated log-odds are d·x - d²/2 + logit(base rate). The errors of the 14 labels
share three causes (poor inspiration, rotation, exposure), as those of a real network do.
"""

from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.ranking.arrays import Matrix, Vector
from services.image_index.ranking.prior import LabelSetPrior
from shared.labels import LABELS, NO_FINDING

Calibration = Literal["calibrated", "overconfident", "underconfident", "distorted", "balanced"]
CALIBRATIONS: tuple[Calibration, ...] = get_args(Calibration)

UNLISTED_SHARE = 0.066  # of 4,415 CheXpert reports, 290 carry a set that fewer than three do
_FREQUENCY_NOISE = 0.3  # the gallery's frequencies are not quite the prior's
_AUROC_SPREAD = 0.15  # on the probit scale, from label to label
_SHARED_CAUSES = 3
_PICTURES_OF_A_PATIENT = 1.3


def simulate(
    prior: LabelSetPrior,
    images: int,
    auroc: float,
    *,
    calibration: Calibration = "calibrated",
    seed: int = 0,
) -> Predictions:
    """`auroc`: the mean over labels, in (0.5, 1). Decisions are at 0.5."""
    rng = np.random.default_rng(seed)
    truth = draw_label_sets(prior, images, rng)
    normal = NormalDist()
    spread = rng.normal(0, _AUROC_SPREAD, len(LABELS))
    distance = np.array([max(2**0.5 * (normal.inv_cdf(auroc) + one), 0.05) for one in spread])
    rates = np.clip(truth.mean(axis=0), 1e-3, 1 - 1e-3)
    signs = truth * distance + _correlated_noise(images, rng)
    log_odds = _MISCALIBRATIONS[calibration](signs * distance - distance**2 / 2 + logit(rates), rates, rng)
    probabilities = 1 / (1 + np.exp(-log_odds))
    patients = np.sort(rng.integers(0, max(int(images / _PICTURES_OF_A_PATIENT), 1), images))
    return Predictions(
        paths=[f"simulated/patient{patient:05d}/study1/view{n}_frontal.jpg" for n, patient in enumerate(patients)],
        patients=np.array([f"patient{patient:05d}" for patient in patients], dtype=np.str_),
        truth=truth.astype(np.int8),
        probabilities=probabilities,
        predicted=(probabilities >= 0.5).astype(np.int8),
        calibrated=calibration == "calibrated",
    )


def draw_label_sets(prior: LabelSetPrior, images: int, rng: np.random.Generator) -> Matrix:
    """(N, 14) listed sets at frequencies near the prior's, and some that no list holds."""
    frequencies = prior.counts * np.exp(rng.normal(0, _FREQUENCY_NOISE, len(prior.counts)))
    drawn = prior.sets[rng.choice(len(prior.sets), images, p=frequencies / frequencies.sum())]
    replaced = np.flatnonzero(rng.random(images) < UNLISTED_SHARE)
    while len(replaced):
        chance = (rng.random((len(replaced), len(LABELS))) < 1.5 * prior.base_rates).astype(np.float64)
        chance[:, LABELS.index(NO_FINDING)] = 0.0
        unlisted = prior.positions(chance) < 0
        drawn[replaced[unlisted]] = chance[unlisted]
        replaced = replaced[~unlisted]
    return np.asarray(drawn)


def _correlated_noise(images: int, rng: np.random.Generator) -> Matrix:
    """(N, 14) standard normal, correlated through the shared causes."""
    loadings = rng.normal(0, 0.5, (len(LABELS), _SHARED_CAUSES))
    noise = rng.normal(size=(images, _SHARED_CAUSES)) @ loadings.T + rng.normal(size=(images, len(LABELS)))
    return np.asarray(noise / np.sqrt((loadings**2).sum(axis=1) + 1))


def logit(rates: Vector) -> Vector:
    return np.asarray(np.log(rates) - np.log1p(-rates))


def _distorted(log_odds: Matrix, _rates: Vector, rng: np.random.Generator) -> Matrix:
    slopes, shifts = np.exp(rng.normal(0, 0.5, len(LABELS))), rng.normal(0, 0.7, len(LABELS))
    return np.asarray(log_odds * slopes + shifts)


_MISCALIBRATIONS: Mapping[Calibration, Callable[[Matrix, Vector, np.random.Generator], Matrix]] = {
    "calibrated": lambda log_odds, _rates, _rng: log_odds,
    "overconfident": lambda log_odds, _rates, _rng: 2 * log_odds,
    "underconfident": lambda log_odds, _rates, _rng: log_odds / 2,
    "distorted": _distorted,
    "balanced": lambda log_odds, rates, _rng: log_odds - 0.8 * logit(rates),  # as after training with class weights
}
