"""From folders of radiographs to a trained checkpoint and a servable model folder: what the command line runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.image_index.training.checkpoints import load_checkpoint
from services.image_index.training.datasets import LabelledImages, join
from services.image_index.training.export import export_model
from services.image_index.training.sources import parts_of, phantom_images, read_source
from services.image_index.training.train import EpochReport, Trainer, TrainOptions

_PHANTOM_SEEDS = {"train": 1, "validation": 2, "test": 3}
_JUDGING_PHANTOMS = 500


@dataclass(frozen=True)
class Parts:
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages


def gather(sources: Sequence[Path], side: int, phantoms: int, images_root: Path | None = None) -> Parts:
    """Pictures of all sources by their patients' part, and phantoms of different seeds in each."""
    judging = min(phantoms, _JUDGING_PHANTOMS)
    counts = {"train": phantoms, "validation": judging, "test": judging}
    real = [read_source(source, side, images_root) for source in sources]
    gathered: dict[str, LabelledImages] = {}
    for part, count in counts.items():
        chosen = [images.where(parts_of(images) == part) for images in real]
        if count:
            chosen.append(phantom_images(count, _PHANTOM_SEEDS[part], side))
        if not chosen:
            raise ValueError("nothing to learn from: give a folder of radiographs, or a number of phantoms")
        gathered[part] = join(chosen)
    return Parts(**gathered)


def train_encoder(
    parts: Parts, run: Path, options: TrainOptions, report: Callable[[EpochReport], None] = lambda _: None
) -> Path:
    """Train, or go on with the run in `run`; returns its best checkpoint."""
    return Trainer(options, parts.train, parts.validation, run).fit(report=report)


def export_encoder(parts: Parts, checkpoint: Path, folder: Path, notes: str = "") -> dict[str, Any]:
    """Write the model folder; returns the figures on the test part, by the name of the pictures."""
    return export_model(
        checkpoint, folder, train=parts.train, validation=parts.validation, test=parts.test, notes=notes
    )


def input_side(checkpoint: Path) -> int:
    """The side of the pictures that a checkpoint was trained on."""
    return int(load_checkpoint(checkpoint)["side"])
