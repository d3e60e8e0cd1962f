"""From folders of radiographs to a trained checkpoint and a servable model folder: what the command line runs."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from services.image_index.examples.datasets import LabelledImages, UncertainPolicy, join, load_images
from services.image_index.examples.sources import name_of, parts_of, phantom_images, rows_of
from services.image_index.training.train import EpochReport, Trainer, TrainOptions
from services.image_index.training.worker import Worker
from services.workbench.checkpoint_file import load_checkpoint

_PHANTOM_SEEDS = {"train": 1, "validation": 2, "test": 3}
_JUDGING_PHANTOMS = 500


@dataclass(frozen=True)
class Parts:
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages


def gather(
    sources: Sequence[Path],
    side: int,
    phantoms: int,
    images_root: Path | None = None,
    *,
    uncertain: UncertainPolicy = MappingProxyType({}),
    on_reading: Callable[[int, int], None] = lambda _done, _of: None,
) -> Parts:
    """Pictures of all sources by their patients' part, and phantoms of different seeds in each.

    All pictures are held in memory: side² bytes each. `on_reading(done, of)` is called while files are read.
    """
    tables = {source: rows_of(source, images_root, uncertain) for source in sources}
    total, done = sum(len(rows) for rows in tables.values()), itertools.count(1)
    real = [
        load_images(rows, side, name_of(source), lambda: on_reading(next(done), total))
        for source, rows in tables.items()
    ]
    judging = min(phantoms, _JUDGING_PHANTOMS)
    counts = {"train": phantoms, "validation": judging, "test": judging}
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
    parts: Parts,
    run: Path,
    options: TrainOptions,
    report: Callable[[EpochReport], None] = lambda _: None,
    worker: Worker | None = None,
) -> Path:
    """Train, or go on with the run in `run`; returns its best checkpoint."""
    return Trainer(options, parts.train, parts.validation, run, worker).fit(report=report)


def input_side(checkpoint: Path) -> int:
    """The side of the pictures that a checkpoint was trained on."""
    return int(load_checkpoint(checkpoint)["side"])
