"""Turns a checkpoint into a folder that the service loads: graph, weights, calibration, thresholds, model card."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from services.image_index.evaluation.baseline import ridge_scores
from services.image_index.evaluation.labels import evaluate_images
from services.image_index.evaluation.metrics import PHANTOMS, label_figures
from services.image_index.examples.datasets import LabelledImages, abnormal
from services.image_index.networks.build import BESIDE, as_one
from services.image_index.networks.timm_backbone import TIMM
from services.image_index.parts import open_model
from services.image_index.training.augment import MEAN, STD
from services.image_index.training.calibration import fit_calibration
from services.image_index.training.card import write_card
from services.image_index.training.checkpoints import load_network
from services.image_index.training.graph import write_graph
from services.image_index.training.pipeline import Parts
from services.image_index.training.train import centre_maps, predict_logits
from services.workbench.checkpoint_file import load_checkpoint
from services.workbench.json_file import write_json
from shared.labels import LABELS, LabelName

Support = Literal["real", "phantom", "none"]
_VERSION = "1.0.0"
_USUAL_PICTURES = 1000


def export_encoder(parts: Parts, checkpoints: Sequence[Path], folder: Path, notes: str = "") -> dict[str, Any]:
    """Write the model folder; returns the figures on the test part, by the name of the pictures."""
    return export_model(
        checkpoints, folder, train=parts.train, validation=parts.validation, test=parts.test, notes=notes
    )


def export_model(
    checkpoints: Sequence[Path],
    folder: Path,
    *,
    train: LabelledImages,
    validation: LabelledImages,
    test: LabelledImages,
    notes: str = "",
) -> dict[str, Any]:
    """Write the folder; calibration and thresholds come from `validation`, the card's figures from `test`.

    Several checkpoints become an ensemble, which is served like one network.

    Returns the figures, by the name of the pictures they were measured on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    side = int(train.pixels.shape[-1])
    network = as_one([load_network(checkpoint) for checkpoint in checkpoints], side)
    architectures: list[str] = [load_checkpoint(checkpoint)["architecture"] for checkpoint in checkpoints]
    kinds = "-".join(dict.fromkeys(architecture.removeprefix(TIMM) for architecture in architectures))
    config = {
        "name": f"chexretriever-{kinds}",
        "version": _VERSION,
        "architecture": BESIDE.join(architectures),
        "input_size": side,
        "channels": 1,
        "mean": [MEAN],
        "std": [STD],
        "labels": list(LABELS),
        "label_support": label_support(train),
    }
    calibration, thresholds = fit_calibration(predict_logits(network, validation.pixels), validation)
    usual = train.where(train.sources != PHANTOMS) if (train.sources != PHANTOMS).any() else train
    write_graph(centre_maps(network, usual.pixels[:: max(1, len(usual) // _USUAL_PICTURES)]), side, folder)
    write_json(folder / "config.json", config)
    write_json(folder / "calibration.json", {label: asdict(calibration[label]) for label in LABELS})
    write_json(folder / "thresholds.json", {label: thresholds[label] for label in LABELS})

    encoder = open_model(folder, device="cpu")
    reports = {
        name: with_baseline(evaluate_images(encoder, part, min_positives=5), train, part)
        for name, part in _test_parts(test).items()
    }
    counts = {str(source): int((train.sources == source).sum()) for source in np.unique(train.sources)}
    grid = encoder.encode([train.pixels[0]])[0].cam.shape[-1]
    write_card(folder, config, counts, reports, grid=grid, notes=notes)
    return reports


def with_baseline(report: dict[str, Any], train: LabelledImages, judged: LabelledImages) -> dict[str, Any]:
    """The report with `ridge_auroc` beside every label's figures, and their mean."""
    figures = label_figures(ridge_scores(train, judged), judged.targets, judged.known)
    for label, entry in report["labels"].items():
        entry["ridge_auroc"] = figures[label].auroc
    ridge = [entry["ridge_auroc"] for entry in report["labels"].values()]
    report["macro"]["ridge_auroc"] = float(np.mean(ridge)) if ridge else float("nan")
    return report


def label_support(train: LabelledImages) -> dict[LabelName, Support]:
    """Where each label's positives came from."""
    shown = (train.targets > 0) & train.known
    phantom = train.sources == PHANTOMS
    support: dict[LabelName, Support] = {}
    for column, label in enumerate(LABELS):
        real = bool(shown[~phantom, column].any())
        support[label] = "real" if real else "phantom" if shown[phantom, column].any() else "none"
    return support


def _test_parts(test: LabelledImages) -> dict[str, LabelledImages]:
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
