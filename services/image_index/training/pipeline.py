"""From folders of radiographs to a trained checkpoint and a servable model folder: what the command line runs."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from services.image_index.examples.datasets import LabelledImages, Row, UncertainPolicy, join, load_images
from services.image_index.examples.readers import Readers
from services.image_index.examples.sources import name_of, part_of, parts_of, phantom_images, rows_of
from services.image_index.training.train import EpochReport, Trainer, TrainOptions
from services.image_index.training.worker import Worker
from services.workbench.checkpoint_file import load_checkpoint

_PHANTOM_SEEDS = {"train": 1, "validation": 2, "test": 3}
_JUDGING_PHANTOMS = 500


@dataclass(frozen=True)
class Parts:
    """`read`: those of the test patients' pictures that radiologists read, with their labels alone.

    `readers`: the names of the radiologists' tables.
    """

    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    read: LabelledImages | None = None
    readers: Sequence[str] = ()


def gather(
    sources: Sequence[Path],
    side: int,
    phantoms: int,
    images_root: Path | None = None,
    *,
    uncertain: UncertainPolicy = MappingProxyType({}),
    readers: Readers | None = None,
    on_reading: Callable[[int, int], None] = lambda _done, _of: None,
) -> Parts:
    """Pictures of all sources by their patients' part, and phantoms of different seeds in each.

    `readers` go before the tables' labels in what is learned from; in the test part they stand beside them, so that
    every figure rests on labels of one kind.

    All pictures are held in memory: side² bytes each. `on_reading(done, of)` is called while files are read.
    """
    tables = {source: rows_of(source, images_root, uncertain) for source in sources}
    read = gather_read(sources, side, readers, images_root).test if readers else None
    if readers:
        tables = {source: _learned(rows, readers) for source, rows in tables.items()}
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
    return Parts(**gathered, read=read, readers=readers.names if readers else ())


def _learned(rows: Sequence[Row], readers: Readers) -> list[Row]:
    test = [row for row in rows if part_of(row.patient) == "test"]
    return [*readers.before_mined([row for row in rows if part_of(row.patient) != "test"]), *test]


def gather_read(
    sources: Sequence[Path],
    side: int,
    readers: Readers,
    images_root: Path | None = None,
    *,
    phantoms: int = 0,
    on_reading: Callable[[int, int], None] = lambda _done, _of: None,
) -> Parts:
    """Only the pictures that radiologists read, with their labels and no others, by their patients' part.

    `phantoms` join the training part, as in `gather`.

    Raises ValueError where they read none of the sources' pictures.
    """
    tables = {source: readers.alone(rows_of(source, images_root)) for source in sources}
    tables = {source: rows for source, rows in tables.items() if rows}
    if not tables:
        raise ValueError("the readers' tables name none of the pictures")
    total, done = sum(map(len, tables.values())), itertools.count(1)
    images = join(
        [
            load_images(rows, side, name_of(source), lambda: on_reading(next(done), total))
            for source, rows in tables.items()
        ]
    )
    parts = parts_of(images)
    train, validation, test = (images.where(parts == part) for part in ("train", "validation", "test"))
    if phantoms:
        train = join([train, phantom_images(phantoms, _PHANTOM_SEEDS["train"], side)])
    return Parts(train, validation, test, readers=readers.names)


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
