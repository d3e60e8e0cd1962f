"""How far an encoder is to be believed."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.evidence import evidence_against
from services.image_index.ranking.fusion import Fusion
from services.image_index.ranking.log_odds import Evidence, logit
from services.image_index.ranking.prior import LabelSetPrior
from services.image_index.ranking.statistics import Statistics
from shared.labels import LABELS
from shared.schemas.evidence import EvidenceName

AS_IT_IS = Evidence((1.0,) * len(LABELS), (0.0,) * len(LABELS))


@dataclass(frozen=True)
class Fit:
    """What `calibrate` found on a site's own images with a report, (14,) each: a label is present in a picture with the
    log-odds slope · log-odds of the encoder + intercept; `rates`, how often those reports state it.
    """

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    rates: tuple[float, ...]
    reports: float = 1.0  # how far a report is believed

    @property
    def calibration(self) -> Evidence:
        return Evidence(self.slopes, self.intercepts)

    @property
    def pictures(self) -> Evidence:
        offsets = np.array(self.intercepts) - logit(np.array(self.rates))
        return Evidence(self.slopes, tuple(offsets.tolist()))


@dataclass(frozen=True)
class Trust:
    """`calibrated`: whether the encoder's probabilities were fitted to labelled radiographs; `proven` (14,), of which
    labels it has learned from patients; `fit`, where the site has one.
    """

    calibrated: bool = False
    proven: tuple[bool, ...] = (True,) * len(LABELS)
    fit: Fit | None = None

    def told(self, probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
        """(14,) of an encoder -> (14,), calibrated where there is a fit."""
        if self.fit is None:
            return probabilities
        log_odds = self.fit.calibration.of(probabilities[:, None])[:, 0]
        return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))

    def thresholds(self, encoders: Vector) -> Vector:
        """(14,) probabilities from which on an encoder's label is present -> (14,), the same once it is calibrated; of
        a label that pictures tell nothing of, where it is more probable than not.
        """
        if self.fit is None:
            return encoders
        return np.asarray(np.where(np.array(self.fit.slopes) > 0, self.told(encoders), 0.5), dtype=np.float64)

    def fusion(self, gallery: Statistics, prior: LabelSetPrior, evidence: EvidenceName) -> Fusion:
        return _fusion(self, gallery, prior, evidence)


@lru_cache(maxsize=16)  # from search to search, until a write makes the next gallery
def _fusion(trust: Trust, gallery: Statistics, prior: LabelSetPrior, evidence: EvidenceName) -> Fusion:
    fit = trust.fit
    return Fusion(
        evidence=evidence,
        pictures=fit.pictures if fit else evidence_against(gallery, prior.base_rates, calibrated=trust.calibrated),
        calibration=fit.calibration if fit else AS_IT_IS,
        silent=tuple(not proven for proven in trust.proven),
        usual=tuple(logit(prior.base_rates).tolist()),
        reports=fit.reports if fit else 1.0,
    )
