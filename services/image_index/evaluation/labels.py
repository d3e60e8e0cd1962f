"""Judges a model folder on labelled pictures: how well it ranks, decides and calibrates, label by label."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from services.image_index.encoding.encoder import Encoder
from services.image_index.evaluation.metrics import Scores, label_figures
from services.image_index.examples.datasets import LabelledImages, Row, UncertainPolicy, load_images, read_rows
from services.image_index.examples.readers import Readers
from services.image_index.examples.sources import Part, part_of
from services.workbench.calibration_error import calibration_error
from services.workbench.figures import draw_label_figures
from shared.labels import LABELS

MACRO_FIGURES = ("auroc", "auprc", "f1", "brier", "calibration_error")


def evaluate_table(
    encoder: Encoder,
    table: Path,
    images_root: Path,
    *,
    uncertain: UncertainPolicy = MappingProxyType({}),
    readers: Readers | None = None,
    part: Part | None = None,
    min_positives: int = 1,
    plots: Path | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """`{"labels": {name: figures}, "macro": {...}}` for a table. `plots`: folder to draw in.

    `readers`: judged by their labels alone, on the pictures that they read. `part`: on that part's patients.
    """
    rows = _judged(read_rows(table, images_root, uncertain=uncertain), readers, part)
    images = load_images(rows, encoder.input_size, table.stem, on_picture)
    probabilities = encode_all(encoder, images.pixels)
    if plots is not None:
        draw_label_figures(probabilities, images.targets > 0, images.known, plots, min_positives=min_positives)
    return report_on(encoder, probabilities, images, min_positives=min_positives)


def _judged(rows: list[Row], readers: Readers | None, part: Part | None) -> list[Row]:
    """Raises ValueError where none is left."""
    chosen = [row for row in rows if part in (None, part_of(row.patient))]
    if not chosen:
        raise ValueError(f"the table has no patient of the {part} part")
    if readers is None:
        return chosen
    read = readers.alone(chosen)
    if not read:
        raise ValueError("the readers' tables name none of the pictures")
    return read


def encode_all(encoder: Encoder, pixels: NDArray[np.uint8], batch: int = 32) -> NDArray[np.float32]:
    """(N, S, S) -> calibrated probabilities (N, 14), by the code that serves."""
    encodings = [
        encoding for i in range(0, len(pixels), batch) for encoding in encoder.encode(list(pixels[i : i + batch]))
    ]
    return np.stack([encoding.probabilities for encoding in encodings])


def evaluate_images(
    encoder: Encoder, images: LabelledImages, *, min_positives: int = 1, rounds: int = 200
) -> dict[str, Any]:
    """The report on an encoder's answers for these pictures."""
    return report_on(encoder, encode_all(encoder, images.pixels), images, min_positives=min_positives, rounds=rounds)


def report_on(
    encoder: Encoder, probabilities: Scores, images: LabelledImages, *, min_positives: int = 1, rounds: int = 200
) -> dict[str, Any]:
    """Probabilities (N, 14). Labels that fewer than `min_positives` pictures show are left out, of the macro too.

    `rounds`: how often patients are drawn for the intervals.
    """
    found = label_figures(
        probabilities,
        images.targets,
        images.known,
        patients=images.patients,
        min_positives=min_positives,
        rounds=rounds,
    )
    labels: dict[str, dict[str, Any]] = {}
    for label, figure in found.items():
        column = LABELS.index(label)
        rows = images.known[:, column]
        p, truth = probabilities[rows, column], images.targets[rows, column]
        low, high = figure.interval or (float("nan"), float("nan"))
        labels[label] = {
            "auroc": figure.auroc,
            "auroc_low": low,
            "auroc_high": high,
            "auprc": figure.auprc,
            "f1": float(f1_score(truth, p >= encoder.thresholds[column])),
            "brier": float(np.mean((p - truth) ** 2)),
            "calibration_error": calibration_error(p, truth),
            "positives": figure.positives,
            "images": figure.images,
        }
    macro: dict[str, Any] = {name: _mean([entry[name] for entry in labels.values()]) for name in MACRO_FIGURES}
    return {
        "labels": labels,
        "macro": {**macro, "labels": len(labels), "images": len(images)},
        "model": {"name": encoder.info.name, "weights_sha256": encoder.info.weights_sha256},
    }


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
