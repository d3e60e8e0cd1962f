"""The images that are learned from: what the encoder says of each, and what its report does."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.fusion import Known
from services.image_index.ranking.log_odds import log_odds
from services.image_index.store.reported import ReportedImages

FOLDS = 5
MOST_IMAGES = 20_000  # of more, whole patients are left out: 42 numbers hardly gain from them
FEWEST_IMAGES = 200
FEWEST_PATIENTS = 50


class TooFewReports(ValueError):
    """The message says how many there are, and how many it takes."""


@dataclass(frozen=True, eq=False)
class Cases:
    """N images, fold after fold, and patient after patient within each. A patient lies in one fold.

    `patients`, `folds` (N,); (N, 14) each: `probabilities` by the encoder; `stated`, 1 where the report states the
    label, 0 where it denies or does not mention it, NaN where it is uncertain; `evidence` of the report.
    """

    patients: NDArray[np.str_]
    folds: NDArray[np.int8]
    probabilities: NDArray[np.float32]
    stated: NDArray[np.float32]
    evidence: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def patient_count(self) -> int:
        return len(np.unique(self.patients))

    def of_fold(self, fold: int) -> slice:
        start, end = np.searchsorted(self.folds, [fold, fold + 1])
        return slice(int(start), int(end))

    @cached_property
    def log_odds(self) -> NDArray[np.float64]:
        """(N, 14) of the encoder."""
        return log_odds(self.probabilities)

    @cached_property
    def label_sets(self) -> NDArray[np.int8]:
        """(N, 14) of 0 and 1, as the reports state them."""
        return np.asarray(self.stated == 1, dtype=np.int8)

    @property
    def by_pictures(self) -> Known:
        """As if no image had a report."""
        nothing = np.zeros(len(self), dtype=np.bool_)
        return Known(self.probabilities.T, np.zeros_like(self.evidence).T, nothing)

    def with_reports_of(self, kept: NDArray[np.bool_]) -> Known:
        """`kept` (N,): whose report is known."""
        return Known(self.probabilities.T, np.where(kept, self.evidence.T, np.float16(0)), kept)


def cases_of(found: ReportedImages, most: int = MOST_IMAGES) -> Cases:
    """Raises TooFewReports."""
    count, patient_count = len(found.patients), len(set(found.patients))
    if count < FEWEST_IMAGES or patient_count < FEWEST_PATIENTS:
        raise TooFewReports(
            f"The index has {count:,} images with a report, of {patient_count:,} patients: to learn from them takes "
            f"{FEWEST_IMAGES} of {FEWEST_PATIENTS} patients. Nothing was changed."
        )
    places, folds = _hashed(found.patients)
    order = np.lexsort((found.patients, places))  # by chance, but every time the same
    if count > most:
        last = found.patients[order[most]]
        order = order[:most][found.patients[order[:most]] != last]  # whole patients
    order = order[np.argsort(folds[order], kind="stable")]
    return Cases(
        found.patients[order],
        folds[order],
        found.probabilities[order],
        found.stated[order],
        found.evidence[order],
    )


def _hashed(patients: Sequence[str] | NDArray[np.str_]) -> tuple[NDArray[np.uint64], NDArray[np.int8]]:
    """(N,) a place in a row and a fold, which hang on the patient alone."""
    digests = [hashlib.blake2b(str(patient).encode(), digest_size=9).digest() for patient in patients]
    places = np.array([int.from_bytes(digest[:8]) for digest in digests], dtype=np.uint64)
    return places, np.array([digest[8] % FOLDS for digest in digests], dtype=np.int8)
