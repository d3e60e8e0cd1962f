"""What an encoder's probability says for a label, beyond what is true of the whole gallery."""

import numpy as np

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.log_odds import Evidence
from services.image_index.ranking.statistics import Statistics

_USUAL_SPREAD = 1.1  # of the log-odds of a well calibrated encoder of AUROC 0.75 to 0.8
_LEAST_SPREAD = 0.25
_USUAL_IMAGES = 50  # so many images as reports lead to expect join each gallery, for a few of its own say little of it
_BELIEVED = 1 / 8  # of how a calibrated encoder's gallery differs from reports
_STEP = 1 / 16  # coarse, so that one more image seldom changes what the posteriors of all images hang on


def evidence_against(gallery: Statistics, base_rates: Vector, *, calibrated: bool) -> Evidence:
    """How a probability speaks in this gallery, whatever the scale that the encoder learned to speak on.

    An encoder that says 10 % for every image says nothing of any: evidence is what exceeds the gallery. And one that is
    too sure, or not sure enough, spreads its log-odds too far or too little: half the difference to a usual spread is
    taken back (on a logarithmic scale; all of it would silence what the encoder knows of its own weak labels).

    An encoder that is `calibrated` is believed an eighth (of log-odds) when it finds a label more or less often than
    reports state it (`base_rates` (14,)). Nobody knows of another one whether its probabilities are shifted or the
    gallery differs.

    Sloped or not, log-odds keep the gallery's mean probability, as nearly as if they were normally distributed.
    """
    mean, center, spread = _joined_by_usual_images(gallery, base_rates)
    slopes = _rounded(np.sqrt(_USUAL_SPREAD / np.maximum(spread, _LEAST_SPREAD)))
    kept = center * (_widening(slopes * spread) / _widening(spread) - slopes)
    believed = _BELIEVED if calibrated else 0.0
    expected = (1 - believed) * _logit(mean) + believed * _logit(base_rates)
    return Evidence(tuple(slopes.tolist()), tuple(_rounded(kept - expected).tolist()))


def _joined_by_usual_images(gallery: Statistics, base_rates: Vector) -> tuple[Vector, Vector, Vector]:
    """Mean probability, mean and standard deviation of the log-odds, of the gallery and the usual images together."""
    share = gallery.images / (gallery.images + _USUAL_IMAGES)
    usual_center = _logit(base_rates) * _widening(np.full_like(base_rates, _USUAL_SPREAD))
    mean = share * gallery.mean + (1 - share) * base_rates
    center = share * gallery.center + (1 - share) * usual_center
    squares = share * (gallery.spread**2 + gallery.center**2) + (1 - share) * (_USUAL_SPREAD**2 + usual_center**2)
    return mean, center, np.sqrt(np.maximum(squares - center**2, 0.0))


def _widening(spread: Vector) -> Vector:
    """How much further than logit(b) from 0 normal log-odds must lie, so that their mean probability is b: the mean of
    sigmoid(N(μ, s²)) is near sigmoid(μ / √(1 + πs²/8)) (MacKay, 1992).
    """
    return np.asarray(np.sqrt(1 + np.pi / 8 * spread**2))


def _logit(probabilities: Vector) -> Vector:
    p = np.clip(probabilities, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(p) - np.log1p(-p))


def _rounded(values: Vector) -> Vector:
    return np.asarray(np.round(values / _STEP) * _STEP)
