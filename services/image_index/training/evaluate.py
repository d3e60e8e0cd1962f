"""Judges a model folder on labelled pictures: how well it ranks, decides and calibrates, label by label."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from services.image_index.training.datasets import LabelledImages, UncertainPolicy, load_images, read_rows
from services.image_index.training.metrics import label_figures
from services.image_index.training.served import ServedModel, open_model
from shared.labels import LABELS

MACRO_FIGURES = ("auroc", "auprc", "f1", "brier", "calibration_error")


def evaluate_table(
    model: Path, table: Path, images_root: Path, *, uncertain: UncertainPolicy = "ignore", min_positives: int = 1
) -> dict[str, Any]:
    """`{"labels": {name: figures}, "macro": {...}}` for a CheXpert, NIH or plain table."""
    served = open_model(model)
    images = load_images(read_rows(table, images_root, uncertain=uncertain), served.side, table.stem)
    return evaluate_images(served, images, min_positives=min_positives)


def evaluate_images(model: ServedModel, images: LabelledImages, *, min_positives: int = 1) -> dict[str, Any]:
    """Labels with fewer than `min_positives` pictures that show them are left out; the macro is over the others."""
    logits = model.logits(images.pixels)
    probabilities = model.probabilities(logits)
    found = label_figures(logits, images.targets, images.known, patients=images.patients, min_positives=min_positives)
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
            "f1": float(f1_score(truth, p >= model.thresholds[column])),
            "brier": float(np.mean((p - truth) ** 2)),
            "calibration_error": calibration_error(p, truth),
            "positives": figure.positives,
            "images": figure.images,
        }
    macro: dict[str, Any] = {name: _mean([entry[name] for entry in labels.values()]) for name in MACRO_FIGURES}
    return {
        "labels": labels,
        "macro": {**macro, "labels": len(labels), "images": len(images)},
        "model": {"name": model.config["name"], "weights_sha256": model.session.weights_sha256},
    }


def calibration_error(probabilities: NDArray[np.float64], truth: NDArray[np.float32], bins: int = 10) -> float:
    """Expected calibration error over bins of equally many pictures."""
    order = np.argsort(probabilities)
    gaps = [
        abs(float(probabilities[part].mean()) - float(truth[part].mean())) * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return float(np.sum(gaps) / len(truth))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
