"""Where a picture and the report beside it tell of different findings: of another patient, maybe.

With s the findings that the report speaks for, the picture x makes them more or less probable than they are in general:

    log P(s|x) - log pi(s) = Σ_l s_l e_l(x) - log Z(x)

with e and Z as in `posterior`, over the labels that the report speaks for or against. Of an encoder that is as sure as
it should be, at most one picture in F is found F times less probable with its own report than in general, for the mean
of that factor over a picture's possible reports is 1 (Markov's inequality).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.fusion import Fusion, Known
from services.image_index.ranking.posterior import posterior
from services.image_index.ranking.prior import LabelSetPrior
from shared.labels import LABELS, LabelName

LESS_PROBABLE = 10.0  # times; the report's findings must be, with this picture, than they are in general
_SPEAKING = 1.0  # log-odds of the picture from which on a label is named


@dataclass(frozen=True)
class Disagreement:
    """`strong` (M,); `labels` (14, M), those in which picture and report point different ways."""

    strong: NDArray[np.bool_]
    labels: NDArray[np.bool_]

    def named(self) -> list[list[LabelName] | None]:
        """The labels of each image, None where nothing strong speaks for another patient."""
        return [
            [name for name, opposed in zip(LABELS, labels, strict=True) if opposed] if strong else None
            for strong, labels in zip(self.strong.tolist(), self.labels.T.tolist(), strict=True)
        ]


def disagreement(known: Known, fusion: Fusion, prior: LabelSetPrior) -> Disagreement:
    """An image without a report disagrees with nothing."""
    if not known.reported.any():
        return Disagreement(np.zeros_like(known.reported), np.zeros(known.reports.shape, dtype=np.bool_))
    reports = np.round(known.reports.astype(np.float64), 4)  # what is less speaks for neither side
    shown = np.where(reports == 0, 0.0, fusion.of_pictures(known))
    ratio = (shown * (reports > 0)).sum(axis=0) - posterior(shown, prior).log_z
    strong = known.reported & (ratio < -np.log(LESS_PROBABLE))
    opposed = (np.sign(shown) == -np.sign(reports)) & (np.abs(shown) >= _SPEAKING)
    return Disagreement(strong, opposed & strong)
