"""A table of reports: what each one says, which labels it was given, and of which indexed image it is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.image_index.ingest.layouts import chexpert_study
from shared.image_ids import image_id_of
from shared.labels import LABELS
from shared.tables import read_whole

PATHS = ("Path", "path_to_image", "image", "Image Index")


@dataclass(frozen=True, eq=False)
class Reports:
    """(N,) each; `truth` (N, 14) of 0 and 1, None where the table has no label columns.

    `paths` is empty where it has no column of pictures, `texts` where it has none of the name asked for.
    """

    paths: list[str]
    texts: list[str]
    truth: NDArray[np.int8] | None

    @property
    def image_ids(self) -> list[str]:
        """As an ingest of the same table gives them."""
        return [image_id_of(path) for path in self.paths]

    @property
    def patients(self) -> list[str]:
        return [chexpert_study(path)[0] or path for path in self.paths]


def read_reports(path: Path, text_column: str) -> Reports:
    """Labels in CheXpert's coding: 1 is present; 0, -1 and blank are not. Raises ValueError without any row."""
    columns, rows = read_whole(path)
    if not rows:
        raise ValueError(f"{path.name} holds no report")
    pictures = next((name for name in PATHS if name in columns), None)
    truth = None
    if set(columns) >= set(LABELS):
        truth = np.array([[float(row[label] or 0) == 1 for label in LABELS] for row in rows], dtype=np.int8)
    return Reports(
        paths=[row[pictures] for row in rows] if pictures else [],
        texts=[row[text_column] for row in rows] if text_column in columns else [],
        truth=truth,
    )
