"""A table of images with their true labels and what an encoder made of them, as the original project writes it."""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.image_index.ingest.predictions.table import PATH, PATIENT, BadLine, PredictionTable
from services.image_index.ranking.fusion import Known
from services.image_index.ranking.trust import Fit, Trust
from shared.labels import LABELS, LabelName
from shared.tables import read_whole

CALIBRATED = "calibrated"  # 1 where the probabilities were fitted to labelled radiographs; no such column says no
UNPROVEN = "unproven"  # labels that the encoder has not learned from patients, joined by bars; the same in every row


@dataclass(frozen=True, eq=False)
class Predictions:
    """`patients` (N,); (N, 14) each: `truth` of 0 and 1, `probabilities` in [0, 1], `predicted` of 0 and 1; `reports`,
    log-odds beyond the base rates, NaN in the rows of images without a report.
    """

    paths: list[str]
    patients: NDArray[np.str_]
    truth: NDArray[np.int8]
    probabilities: NDArray[np.float64]
    predicted: NDArray[np.int8]
    calibrated: bool = False
    reports: NDArray[np.float16] | None = None
    unproven: frozenset[LabelName] = frozenset()  # labels that the encoder has not learned from patients

    def __len__(self) -> int:
        return len(self.paths)

    def where(self, kept: NDArray[np.bool_]) -> "Predictions":
        """`kept` (N,)."""
        return Predictions(
            [path for path, one in zip(self.paths, kept.tolist(), strict=True) if one],
            self.patients[kept],
            self.truth[kept],
            self.probabilities[kept],
            self.predicted[kept],
            self.calibrated,
            None if self.reports is None else self.reports[kept],
            self.unproven,
        )

    def trust(self, fit: Fit | None = None) -> Trust:
        """As far as a search believes their encoder."""
        return Trust(self.calibrated, tuple(label not in self.unproven for label in LABELS), fit)

    @cached_property
    def known(self) -> Known:
        """Of the images, what a search knows."""
        reports = np.full_like(self.truth, np.nan, dtype=np.float16) if self.reports is None else self.reports
        return Known(self.probabilities.T, np.nan_to_num(reports.T), np.asarray(~np.isnan(reports).any(axis=1)))

    @cached_property
    def queries(self) -> NDArray[np.int8]:
        """(Q, 14) the different label sets that are true of some image."""
        return self._grouped[0]

    @cached_property
    def query_of(self) -> NDArray[np.intp]:
        """(N,) which of `queries` is true of each image."""
        return self._grouped[1]

    @cached_property
    def _grouped(self) -> tuple[NDArray[np.int8], NDArray[np.intp]]:
        queries, query_of = np.unique(self.truth, axis=0, return_inverse=True)
        return queries, query_of.ravel()


def read_predictions(path: Path) -> Predictions:
    """Columns path_to_image, the 14 labels (1 present; 0, -1 and blank not), prob_<label>, and pred_<label>.

    Without pred_<label>, a label is predicted from 0.5 on. Raises ValueError where columns are missing or values cannot
    be.
    """
    lines = []
    for line in PredictionTable(path).lines():
        if isinstance(line, BadLine):
            raise ValueError(f"{path.name}, line {line.number}: {line.reason}")  # noqa: TRY004 - a value, not a type
        lines.append(line)
    columns, rows = read_whole(path)
    missing = set(LABELS) - set(columns)
    if missing:
        raise ValueError(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
    if not lines:
        raise ValueError(f"{path.name} holds no image")
    probabilities = np.stack([line.probabilities for line in lines])
    decided = [line.probabilities >= 0.5 if line.present is None else line.present for line in lines]
    truth = [[float(row[label] or "nan") for label in LABELS] for row in rows]
    return Predictions(
        paths=[line.path for line in lines],
        patients=np.array([line.patient_id or line.path for line in lines], dtype=np.str_),
        truth=(np.array(truth) == 1.0).astype(np.int8),
        probabilities=probabilities,
        predicted=np.stack(decided).astype(np.int8),
        calibrated=all(row.get(CALIBRATED) == "1" for row in rows),
        unproven=frozenset(label for label in LABELS if label in rows[0].get(UNPROVEN, "").split("|")),
    )


def write_predictions(path: Path, predictions: Predictions) -> None:
    names = [f"{prefix}{label}" for prefix in ("", "prob_", "pred_") for label in LABELS]
    values = zip(
        predictions.paths,
        predictions.patients.tolist(),
        predictions.truth.tolist(),
        predictions.probabilities.tolist(),
        predictions.predicted.tolist(),
        strict=True,
    )
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([PATH, PATIENT, CALIBRATED, UNPROVEN, *names])
        unproven = "|".join(sorted(predictions.unproven))
        writer.writerows(
            [one, patient, int(predictions.calibrated), unproven, *truth, *p, *decided]
            for one, patient, truth, p, decided in values
        )
