"""What picture and report say of an image together.

Evidence adds: a picture's log-odds beyond what is usual of the gallery, and a report's beyond what is usual of reports,
for given what an image shows, the errors of the network and of the radiologist are taken to be independent. So nothing
else is needed to weigh them: a report, whose reader rarely errs, speaks louder by itself.

A label that the encoder has not learned from patients has no evidence from pictures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Matrix
from services.image_index.ranking.log_odds import Evidence
from shared.schemas.evidence import EvidenceName


@dataclass(frozen=True)
class Known:
    """All that is known of M images. `probabilities` (14, M) from pictures; `reports` (14, M), log-odds beyond the base
    rates, 0 where there is none; `reported` (M,).
    """

    probabilities: NDArray[np.floating]
    reports: NDArray[np.floating]
    reported: NDArray[np.bool_]

    def some(self, rows: slice) -> "Known":
        return Known(self.probabilities[:, rows], self.reports[:, rows], self.reported[rows])


@dataclass(frozen=True)
class Fusion:
    """`pictures`: how a picture's log-odds become evidence, and `calibration`: how they become calibrated ones; both
    are `silent` (14,) where pictures prove nothing. `usual` (14,): the log-odds of a label that nothing is known of.
    """

    evidence: EvidenceName
    pictures: Evidence
    calibration: Evidence
    silent: tuple[bool, ...]
    usual: tuple[float, ...]
    reports: float = 1.0  # how far a report is believed

    def log_odds(self, known: Known) -> Matrix:
        """(14, M): evidence of both, beyond what is usual, for the posterior over label sets."""
        if self.evidence == "report":
            return self._reports(known)
        found = self.of_pictures(known)
        return found if self.evidence == "image" else found + self._reports(known)

    def of_pictures(self, known: Known) -> Matrix:
        """(14, M): evidence of the pictures alone."""
        found = self.pictures.of(known.probabilities)
        found[list(self.silent)] = 0.0
        return found

    def probabilities(self, known: Known) -> NDArray[np.float32]:
        """(14, M): what is to be thought of each label by itself. Of a picture alone, as its encoder says."""
        usual = np.array(self.usual)[:, None]
        if self.evidence == "report":
            return _probability(usual + self._reports(known))
        if self.calibration.changes_nothing:
            found = known.probabilities.astype(np.float32)
        else:
            found = _probability(self.calibration.of(known.probabilities))
        silent = list(self.silent)
        found[silent] = _probability(usual)[silent]
        if self.evidence == "all" and known.reported.any():
            some = known.reported
            told = self.calibration.of(known.probabilities[:, some])
            told[silent] = usual[silent]
            found[:, some] = _probability(told + self.reports * known.reports[:, some].astype(np.float64))
        return found

    def _reports(self, known: Known) -> Matrix:
        return self.reports * known.reports.astype(np.float64)

    @property
    def is_plain(self) -> bool:
        """Whether the probabilities of images without a report are those of their pictures."""
        return self.evidence != "report" and self.calibration.changes_nothing and not any(self.silent)


def _probability(log_odds_: Matrix) -> NDArray[np.float32]:
    return (1.0 / (1.0 + np.exp(-log_odds_))).astype(np.float32)
