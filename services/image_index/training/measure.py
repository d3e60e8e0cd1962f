"""What a model folder reaches on patients that it never saw, measured and written into its card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from services.image_index.encoding.encoder import Encoder
from services.image_index.evaluation.baseline import ridge_scores
from services.image_index.evaluation.labels import evaluate_images
from services.image_index.evaluation.metrics import PHANTOMS, label_figures
from services.image_index.examples.datasets import LabelledImages, abnormal
from services.image_index.parts import open_model
from services.image_index.training.card import write_card
from services.image_index.training.pipeline import Parts
from services.inference.model_files import read_json_object

FEWEST_POSITIVES = 5  # of a label whose figures are shown


def measure(folder: Path, parts: Parts, notes: str = "") -> dict[str, Any]:
    """Write the folder's card; returns the figures, by the name of the pictures they were measured on.

    Raises ValueError where the pictures are not of the size that the model takes.
    """
    encoder, train = open_model(folder, device="cpu"), parts.train
    if train.pixels.shape[-1] != encoder.input_size:
        raise ValueError(f"the model takes pictures of {encoder.input_size} pixels")
    mined = _reports(encoder, train, test_parts(parts.test))
    read = {} if parts.read is None else _reports(encoder, train, read_parts(parts.read))
    config = read_json_object(folder / "config.json")
    counts = {str(source): int((train.sources == source).sum()) for source in np.unique(train.sources)}
    grid = encoder.encode([train.pixels[0]])[0].cam.shape[-1]
    write_card(folder, config, counts, mined, grid=grid, notes=notes, read=read, readers=parts.readers)
    return {**mined, **read}


def read_parts(read: LabelledImages) -> dict[str, LabelledImages]:
    """Each source by itself, of those that show a label often enough to be judged."""
    named = {f"{name}, by radiologists": part for name, part in test_parts(read).items()}
    return {
        name: part
        for name, part in named.items()
        if label_figures(part.targets, part.targets, part.known, min_positives=FEWEST_POSITIVES)
    }


def _reports(encoder: Encoder, train: LabelledImages, parts: Mapping[str, LabelledImages]) -> dict[str, Any]:
    return {
        name: with_baseline(evaluate_images(encoder, part, min_positives=FEWEST_POSITIVES), train, part)
        for name, part in parts.items()
    }


def with_baseline(report: dict[str, Any], train: LabelledImages, judged: LabelledImages) -> dict[str, Any]:
    """The report with `ridge_auroc` beside every label's figures, and their mean."""
    figures = label_figures(ridge_scores(train, judged), judged.targets, judged.known)
    for label, entry in report["labels"].items():
        entry["ridge_auroc"] = figures[label].auroc
    ridge = [entry["ridge_auroc"] for entry in report["labels"].values()]
    report["macro"]["ridge_auroc"] = float(np.mean(ridge)) if ridge else float("nan")
    return report


def test_parts(test: LabelledImages) -> dict[str, LabelledImages]:
    """Each source by itself; the boxes set within its abnormal pictures, as its normal ones were chosen otherwise."""
    parts: dict[str, LabelledImages] = {}
    for source in np.unique(test.sources):
        part = test.where(test.sources == source)
        if source.endswith("_boxes"):
            parts[f"{source}, test patients, abnormal pictures"] = part.where(abnormal(part))
        elif source == PHANTOMS:
            parts["phantoms of other seeds"] = part
        else:
            parts[f"{source}, test patients"] = part
    return parts
