"""Turns a checkpoint into a folder that the service loads: graph, weights, calibration, thresholds."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from services.image_index.evaluation.metrics import PHANTOMS
from services.image_index.examples.datasets import LabelledImages
from services.image_index.networks.build import BESIDE, as_one
from services.image_index.networks.timm_backbone import TIMM
from services.image_index.training.augment import MEAN, STD
from services.image_index.training.calibration import fit_calibration
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


def export_encoder(parts: Parts, checkpoints: Sequence[Path], folder: Path) -> None:
    """Write the folder, but for its card (`measure`): calibration and thresholds from the validation part.

    Several checkpoints become an ensemble, which is served like one network.
    """
    train, validation = parts.train, parts.validation
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


def label_support(train: LabelledImages) -> dict[LabelName, Support]:
    """Where each label's positives came from."""
    shown = (train.targets > 0) & train.known
    phantom = train.sources == PHANTOMS
    support: dict[LabelName, Support] = {}
    for column, label in enumerate(LABELS):
        real = bool(shown[~phantom, column].any())
        support[label] = "real" if real else "phantom" if shown[phantom, column].any() else "none"
    return support
