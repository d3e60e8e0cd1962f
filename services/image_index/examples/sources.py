"""The folders and phantoms that a training run draws on, and who belongs to which part of it."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.image_index.examples.datasets import (
    LabelledImages,
    Row,
    UncertainPolicy,
    label_matrices,
    load_images,
    read_rows,
)
from services.image_index.examples.phantoms.label_sets import draw_labels
from services.image_index.examples.phantoms.phantom import make_phantom
from services.image_index.examples.side_facts import no_side_facts
from services.image_index.pictures.square import to_square
from services.workbench.fraction import fraction_of
from shared.labels import LABELS
from shared.tables import read_whole

Part = Literal["train", "validation", "test"]
_TEST_SHARE, _VALIDATION_SHARE = 0.15, 0.12
_PHANTOM_SIZES = (192, 256, 384)  # thin lines look different at each, as they do in galleries


def part_of(patient: str) -> Part:
    """A patient is in one part for ever, whatever folder the pictures lie in."""
    fraction = fraction_of(patient)
    if fraction < _TEST_SHARE:
        return "test"
    return "validation" if fraction < _TEST_SHARE + _VALIDATION_SHARE else "train"


def parts_of(images: LabelledImages) -> NDArray[np.str_]:
    return np.array([part_of(patient) for patient in images.patients])


def rows_of(
    source: Path, images_root: Path | None = None, uncertain: UncertainPolicy = MappingProxyType({})
) -> list[Row]:
    """Of a folder with `labels.csv`, or of a table whose pictures lie beside it or below `images_root`.

    Of a sample put together from several collections, collection a is left out: all of it is normal, so that there
    the processing of the picture gives every label away.
    """
    table = table_of(source)
    root = images_root or table.parent
    left_out = {str(root / line["image"]) for line in read_whole(table).rows if line.get("collection") == "a"}
    return [row for row in read_rows(table, root, uncertain=uncertain) if str(row.path) not in left_out]


def read_source(source: Path, side: int, images_root: Path | None = None) -> LabelledImages:
    """The pictures of `rows_of`, named by the folder of the table."""
    return load_images(rows_of(source, images_root), side, name_of(source))


def name_of(source: Path) -> str:
    return table_of(source).parent.name


def table_of(source: Path) -> Path:
    return source / "labels.csv" if source.is_dir() else source


def _phantom(size: int, balance: float, seed: int) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    rng = np.random.default_rng([seed, 7])
    phantom = make_phantom(seed, draw_labels(rng, balance=balance), int(rng.choice(_PHANTOM_SIZES)))
    return to_square(phantom.pixels, size), phantom.labels


def phantom_images(count: int, seed: int, size: int, *, balance: float = 0.6, workers: int = 2) -> LabelledImages:
    """`balance`: share of the phantoms whose set is drawn so that every finding is frequent enough to learn."""
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(count)]
    render = partial(_phantom, size, balance)
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            drawn = list(pool.map(render, seeds, chunksize=16))
    else:
        drawn = [render(s) for s in seeds]
    targets, known = label_matrices({label: label in labels for label in LABELS} for _, labels in drawn)
    patients = np.array([f"phantom:{s}" for s in seeds])
    side_facts = np.stack([no_side_facts()] * count)
    return LabelledImages(
        np.stack([p for p, _ in drawn]), targets, known, patients, np.full(count, "phantoms"), side_facts
    )
