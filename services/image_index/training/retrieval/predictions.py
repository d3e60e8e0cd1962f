"""A table of images with their true labels and what an encoder made of them, as the original project writes it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.labels import LABELS

PATH = "path_to_image"
PATIENT = "patient_id"  # where the path does not say


@dataclass(frozen=True, eq=False)
class Predictions:
    """`patients` (N,); (N, 14) each: `truth` of 0 and 1, `probabilities` in [0, 1], `predicted` of 0 and 1."""

    paths: list[str]
    patients: NDArray[np.str_]
    truth: NDArray[np.int8]
    probabilities: NDArray[np.float64]
    predicted: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.paths)

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
    table = pd.read_csv(path)
    missing = {PATH, *LABELS, *(f"prob_{label}" for label in LABELS)} - set(table.columns)
    if missing:
        raise ValueError(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
    if table.empty:
        raise ValueError(f"{path.name} holds no image")
    truth = table[list(LABELS)].to_numpy(np.float64) == 1.0
    probabilities = table[[f"prob_{label}" for label in LABELS]].to_numpy(np.float64)
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError(f"{path.name} holds probabilities outside [0, 1]")
    decided = [f"pred_{label}" for label in LABELS]
    present = set(decided) <= set(table.columns)
    predicted = table[decided].to_numpy(np.float64) == 1.0 if present else probabilities >= 0.5
    paths = table[PATH].astype(str).tolist()
    patients = table[PATIENT].astype(str).tolist() if PATIENT in table.columns else [patient_of(one) for one in paths]
    return Predictions(
        paths, np.array(patients, dtype=np.str_), truth.astype(np.int8), probabilities, predicted.astype(np.int8)
    )


def patient_of(path: str) -> str:
    """CheXpert's `train/patient00123/study1/view1_frontal.jpg`, with / or _ between; else the path itself."""
    for part in path.replace("_", "/").split("/"):
        if part.startswith("patient") and len(part) > len("patient"):
            return part
    return path


def write_predictions(path: Path, predictions: Predictions) -> None:
    columns: dict[str, object] = {PATH: predictions.paths, PATIENT: predictions.patients}
    for prefix, values in (
        ("", predictions.truth),
        ("prob_", predictions.probabilities),
        ("pred_", predictions.predicted),
    ):
        columns |= {f"{prefix}{label}": values[:, place] for place, label in enumerate(LABELS)}
    pd.DataFrame(columns).to_csv(path, index=False)
