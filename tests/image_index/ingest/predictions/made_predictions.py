"""Tables of predictions in the original project's layout."""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from shared.labels import LABELS

HEADER = ["path_to_image", *LABELS, *(f"prob_{label}" for label in LABELS), *(f"pred_{label}" for label in LABELS)]


def made_rows(count: int, *, threshold: float = 0.3) -> list[list[object]]:
    """Two studies a patient, a frontal view and a lateral one each."""
    rng = np.random.default_rng(7)
    rows: list[list[object]] = []
    for number, p in enumerate(rng.beta(0.4, 1.6, (count, len(LABELS))).round(6)):
        view = "view1_frontal" if number % 2 == 0 else "view2_lateral"
        path = f"CheXpert-v1.0/train/patient{number // 4:05d}/study{number // 2 % 2 + 1}/{view}.jpg"
        rows.append([path, *(p > 0.5).astype(int), *p, *(p >= threshold).astype(int)])
    return rows


def write_table(file: Path, rows: Iterable[list[object]], header: list[str] = HEADER) -> Path:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return file
