"""All images of one generation as columns, as a search scans them. A gallery never changes once it is made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.fused import Fused
from services.image_index.ranking.fusion import Fusion, Known
from services.image_index.ranking.posterior import Posterior
from services.image_index.ranking.prior import LabelSetPrior
from services.image_index.ranking.resident import Resident
from services.image_index.ranking.statistics import Statistics, exact_sums, statistics_of
from shared.labels import LABELS
from shared.schemas.images import PatientSex, ViewPosition

VIEWS: tuple[ViewPosition, ...] = get_args(ViewPosition)
LATERAL = VIEWS.index("LATERAL")
SEXES: tuple[PatientSex, ...] = get_args(PatientSex)
NO_DAY = 0  # before every ordinal of a date


class Names:
    """Strings as small numbers, given in order of first appearance and never taken back; None is -1."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._names: list[str] = []

    def code(self, name: str | None) -> int:
        if name is None:
            return -1
        code = self._codes.setdefault(name, len(self._names))
        if code == len(self._names):
            self._names.append(name)
        return code

    def known(self, names: Iterable[str]) -> set[int]:
        """The codes of those names that have one."""
        return {self._codes[name] for name in names if name in self._codes}

    def name(self, code: int) -> str | None:
        return None if code < 0 else self._names[code]

    def names(self, codes: NDArray[np.int32]) -> list[str]:
        return [self._names[code] for code in codes.tolist()]


@dataclass(frozen=True)
class Vocabulary:
    images: Names
    studies: Names
    patients: Names


@dataclass(frozen=True)
class Gallery:
    """Rows (last axis) are images, dead ones among them: those with `alive` false are deleted or replaced."""

    generation: int
    size: int  # rows alive
    vocabulary: Vocabulary
    probabilities: NDArray[np.float32]  # (14, N)
    fingerprints: NDArray[np.uint64]  # (WORDS, N), 0 where the picture has none
    alive: NDArray[np.bool_]  # (N,)
    row_generation: NDArray[np.int64]
    view: NDArray[np.int8]  # position in VIEWS, -1 unknown
    sex: NDArray[np.int8]  # position in SEXES, -1 unknown
    age: NDArray[np.float32]  # years, NaN unknown
    study_day: NDArray[np.int32]  # ordinal of the study date, NO_DAY unknown
    image: NDArray[np.int32]  # codes of the vocabulary, -1 unknown
    study: NDArray[np.int32]
    patient: NDArray[np.int32]
    report: NDArray[np.int32]  # column of `report_evidence`, -1 where no report is known
    report_evidence: NDArray[np.float16]  # (14, R) log-odds beyond what reports say in general
    statistics: Statistics  # over the rows alive that are no lateral views
    resident: Resident  # of these rows and of those that come after them

    def rows(self, passing: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        """Positions of the rows that are alive and pass."""
        if passing is self.not_lateral:  # what most searches ask for
            return self._rows_not_lateral
        return np.flatnonzero(self.alive if passing is None else self.alive & passing)

    def image_ids(self, rows: NDArray[np.intp] | Sequence[int]) -> list[str]:
        return self.vocabulary.images.names(self.image[rows])

    # Kept from search to search, until a write makes the next gallery.

    @cached_property
    def not_lateral(self) -> NDArray[np.bool_]:
        """(N,). A view that is not known is taken for a frontal one."""
        return np.asarray(self.view != LATERAL)

    @cached_property
    def _rows_not_lateral(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.alive & self.not_lateral)

    @cached_property
    def has_laterals(self) -> bool:
        return not self.not_lateral.all()

    @cached_property
    def has_study_dates(self) -> bool:
        return bool((self.alive & (self.study_day != NO_DAY)).any())

    @cached_property
    def has_reports(self) -> bool:
        return bool((self.report >= 0).any())

    def known(self, rows: slice | NDArray[np.intp]) -> Known:
        """All that is known of some rows."""
        places = self.report[rows]
        reported = places >= 0
        reports = np.zeros((len(LABELS), len(places)), dtype=np.float16)
        if reported.any():
            reports[:, reported] = self.report_evidence[:, places[reported]]
        return Known(self.probabilities[:, rows], reports, reported)

    def fused(self, fusion: Fusion) -> Fused:
        """Kept for the fusions that are asked for."""
        found = self._fused.get(fusion)
        if found is None:
            found = self._fused[fusion] = Fused(self._probabilities(fusion))
        return found

    def _probabilities(self, fusion: Fusion) -> NDArray[np.float32]:
        if fusion.is_plain and (fusion.evidence == "image" or not self.has_reports):
            return self.probabilities
        return self.resident.probabilities(len(self.alive), self.known, fusion)

    def posteriors(self, fusion: Fusion, prior: LabelSetPrior) -> Posterior:
        """In float32."""
        return self.resident.posteriors(len(self.alive), self.known, fusion, prior)

    @cached_property
    def _fused(self) -> dict[Fusion, Fused]:
        return {}

    def binarized(self, thresholds: NDArray[np.float64], fusion: Fusion) -> "Gallery":
        """The same images with probabilities 0 or 1, and no reports beside: what they say is in these."""
        present = self.fused(fusion).probabilities >= thresholds.astype(np.float32)[:, None]
        probabilities = present.astype(np.float32)
        counted = self.alive & self.not_lateral
        return replace(
            self,
            probabilities=probabilities,
            report=np.full_like(self.report, -1),
            statistics=statistics_of(exact_sums(probabilities[:, counted]), int(counted.sum())),
            resident=Resident(),
        )
