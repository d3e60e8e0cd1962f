"""What a fit changes, on patients that it did not see: in what is found, and in what is said of each label.

Each fold of patients is a gallery of its own, searched as the service would with the fit of the other folds: neither
the reports that ask, nor those that say what is relevant, were learned from. (In one gallery of all folds, each ranked
by its own fit, weak encoders seem to lose a tenth: the fits differ by chance, and the first hits come from one fold.)
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.calibration.cases import FOLDS, Cases
from services.image_index.evaluation.calibration.cross_fit import CrossFit, log_loss
from services.image_index.evaluation.retrieval.honest import FIGURES, judge
from services.image_index.evaluation.retrieval.intervals import intervals
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.reader import of_a_share
from services.image_index.evaluation.retrieval.scorers import Scorer
from services.image_index.ranking.fusion import Fusion, Known
from services.image_index.ranking.log_odds import log_odds
from services.image_index.ranking.posterior import match, posterior, readings
from services.image_index.ranking.prior import LabelSetPrior
from services.image_index.ranking.selection import DECIMALS
from services.image_index.ranking.statistics import exact_sums, statistics_of
from services.image_index.ranking.trust import Fit, Trust
from shared.labels import LABELS
from shared.schemas.evidence import EvidenceName

K = 5
MOST_ASKED = 1000
LEAST_THAT_MATTERS = 0.01  # of a figure; less is neither gain nor loss, however sure it is
SHOWN = {"recall": f"Recall@{K}", "precision": f"precision@{K}", "iou": f"IoU@{K}"}
GALLERIES: Mapping[str, EvidenceName] = {"pictures alone": "image", "half of the patients' reports": "all"}
STEPS = FOLDS * len(GALLERIES)


@dataclass(frozen=True)
class Change:
    """`gain`: by how much the fit is better than the default, with its 95 % interval over patients; in retrieval also
    over label sets, where that reaches further: all who ask for the same get the same images, and share in their luck.
    """

    figure: str
    default: float
    fitted: float
    gain: float
    low: float
    high: float

    @property
    def is_gain(self) -> bool:
        return self.low > 0 and self._matters

    @property
    def is_loss(self) -> bool:
        return self.high < 0 and self._matters

    @property
    def _matters(self) -> bool:
        return abs(self.gain) >= LEAST_THAT_MATTERS * self.default


class Comparison:
    """`trust`: in the encoder, as the service has it without a fit."""

    def __init__(self, cases: Cases, fits: CrossFit, prior: LabelSetPrior, trust: Trust) -> None:
        self._cases = cases
        self._fits = fits
        self._prior = prior
        self._trust = trust
        self._statistics = statistics_of(exact_sums(cases.probabilities.T), len(cases))
        self._asked = np.unique(np.linspace(0, len(cases) - 1, min(MOST_ASKED, len(cases))).astype(np.intp))
        self._judged = Predictions(
            [""] * len(cases),
            cases.patients,
            cases.label_sets,
            cases.probabilities.astype(np.float64),
            cases.label_sets,
        )

    def retrieval(self, on_step: Callable[[], None]) -> dict[str, list[Change]]:
        """By gallery. The query is the label set of an image's report; its patient is left out; relevance is an equal
        set by reports.
        """
        rng = np.random.default_rng(0)
        kept = np.asarray(~np.isnan(of_a_share(self._cases.evidence, self._cases.patients, 0.5, rng)).any(axis=1))
        known = {"image": self._cases.by_pictures, "all": self._cases.with_reports_of(kept)}
        return {
            name: list(self._of_gallery(known[evidence], evidence, on_step)) for name, evidence in GALLERIES.items()
        }

    def _of_gallery(self, known: Known, evidence: EvidenceName, on_step: Callable[[], None]) -> Iterator[Change]:
        columns = [FIGURES.index(name) for name in SHOWN]
        default, fitted = (np.empty((len(self._asked), len(columns))) for _ in range(2))
        for fold in range(FOLDS):
            rows = self._cases.of_fold(fold)
            asking = self._cases.folds[self._asked] == fold
            asked, gallery = self._asked[asking] - rows.start, self._judged.where(self._cases.folds == fold)
            for figures, fit in ((default, None), (fitted, self._fits.without(fold))):
                scorer = self._scorer(self._fusion(fit, evidence).log_odds(known.some(rows)))
                figures[asking] = judge(gallery, scorer, K, asked).figures[:, columns]
            on_step()
        clusters = self._cases.patients[self._asked], self._judged.query_of[self._asked]
        return _changes(list(SHOWN.values()), default, fitted, *clusters)

    def _scorer(self, evidence: NDArray[np.float64]) -> Scorer:
        """The default ranking, which is what a fit is made for."""
        images = posterior(evidence, self._prior)
        return lambda query: np.round(match(images, readings(query, self._prior)).score, DECIMALS)

    def _fusion(self, fit: Fit | None, evidence: EvidenceName) -> Fusion:
        trust = Trust(self._trust.calibrated, self._trust.proven, fit)
        return trust.fusion(self._statistics, self._prior, evidence)

    def log_loss(self) -> list[Change]:
        """Of the labels' mean, then of each: how far what is said of a picture is from what its report states."""
        known, stated = self._cases.by_pictures, self._cases.stated
        default = self._fusion(None, "image").probabilities(known)
        fitted = np.concatenate(
            [
                self._fusion(self._fits.without(fold), "image").probabilities(known.some(self._cases.of_fold(fold)))
                for fold in range(FOLDS)
            ],
            axis=1,
        )
        losses = [log_loss(log_odds(one.T), stated) for one in (default, fitted)]
        sure = ~np.isnan(stated)
        before, after = (np.where(sure, loss, 0.0).sum(axis=1) / np.maximum(sure.sum(axis=1), 1) for loss in losses)
        some = np.asarray(sure.any(axis=1))
        changes = [self._lost("all labels", before, after, some)]
        for label, name in enumerate(LABELS):
            changes.append(self._lost(name, losses[0][:, label], losses[1][:, label], sure[:, label]))
        return changes

    def _lost(
        self, name: str, default: NDArray[np.float64], fitted: NDArray[np.float64], sure: NDArray[np.bool_]
    ) -> Change:
        (change,) = _changes([name], -default[sure, None], -fitted[sure, None], self._cases.patients[sure])
        return replace(change, default=-change.default, fitted=-change.fitted)


def _changes(
    names: list[str], default: NDArray[np.float64], fitted: NDArray[np.float64], *clusters: NDArray[np.generic]
) -> Iterator[Change]:
    """Figures (M, F), clusters (M,) each."""
    bounds = np.stack([intervals(fitted - default, one) for one in clusters])  # (C, 2, F)
    low, high = bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)
    for place, name in enumerate(names):
        before, after = float(default[:, place].mean()), float(fitted[:, place].mean())
        yield Change(name, before, after, after - before, float(low[place]), float(high[place]))
