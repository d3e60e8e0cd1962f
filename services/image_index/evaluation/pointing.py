"""The pointing game: how often does the hottest point of a map lie in the box that a radiologist drew.

A map is worth something where it beats two guesses that look at no picture: the picture's centre, and the centre of the
label's mean box among other patients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.image_index.encoding.encoder import Encoder
from services.image_index.examples.datasets import load_images, read_rows
from services.image_index.examples.sources import Part, part_of
from shared.labels import LABELS, NIH_FINDINGS, LabelName
from shared.tables import TableUnusable, read_whole

_FINE = 64  # maps are interpolated to this side before their maximum is taken
ALL = "all boxes"
_SHARES = ("map", "centre", "mean_box")
_SHORT_NAMES = {"Infiltrate": "Infiltration"}


@dataclass(frozen=True)
class DrawnBox:
    """Corners as shares of the picture's width and height."""

    image: str
    label: LabelName
    corners: tuple[float, float, float, float]  # left, top, right, bottom

    def holds(self, x: float, y: float) -> bool:
        left, top, right, bottom = self.corners
        return left <= x <= right and top <= y <= bottom


@dataclass(frozen=True)
class Pointing:
    """Shares of boxes hit: by the map, by the picture's centre, by the centre of the training patients' mean box."""

    boxes: int
    map: float
    centre: float
    mean_box: float


def read_boxes(folder: Path) -> list[DrawnBox]:
    """`boxes.csv` (image, label, xmin, ymin, xmax, ymax in pixels); findings without a CheXpert label are left out."""
    boxes: list[DrawnBox] = []
    file = folder / "boxes.csv"
    for line in read_whole(file, "image", "label", "xmin", "ymin", "xmax", "ymax").rows:
        finding = _SHORT_NAMES.get(line["label"], line["label"])
        if finding not in NIH_FINDINGS:
            raise TableUnusable(f"{file}: {finding} is no finding of NIH ChestX-ray14's.")
        with Image.open(folder / line["image"]) as picture:
            width, height = picture.size
        corners = (
            float(line["xmin"]) / width,
            float(line["ymin"]) / height,
            float(line["xmax"]) / width,
            float(line["ymax"]) / height,
        )
        boxes += [DrawnBox(line["image"], label, corners) for label in NIH_FINDINGS[finding]]
    return boxes


def hottest_point(grid: NDArray[np.floating]) -> tuple[float, float]:
    """(h, w) -> x, y as shares of width and height."""
    fine = Image.fromarray(grid.astype(np.float32)).resize((_FINE, _FINE), Image.Resampling.BICUBIC)
    row, column = divmod(int(np.argmax(np.asarray(fine))), _FINE)
    return (column + 0.5) / _FINE, (row + 0.5) / _FINE


def pointing_game(encoder: Encoder, folder: Path, part: Part = "test") -> dict[str, Pointing]:
    """By label, and under `ALL` over all boxes, of one part's patients; the mean boxes are those of training patients.

    Raises ValueError where no patient of that part has a box.
    """
    rows = {str(row.path.relative_to(folder)): row for row in read_rows(folder / "labels.csv", folder)}
    boxes = read_boxes(folder)
    judged = [box for box in boxes if part_of(rows[box.image].patient) == part]
    if not judged:
        raise ValueError(f"{folder} has no box of a {part} patient")
    others = [box for box in boxes if part_of(rows[box.image].patient) == "train"]
    names = sorted({box.image for box in judged})
    pixels = load_images([rows[name] for name in names], encoder.input_size, folder.name).pixels
    maps = {name: encoder.encode([picture])[0].cam for name, picture in zip(names, pixels, strict=True)}
    found: dict[str, Pointing] = {
        label: _score(
            [box for box in judged if box.label == label], [box for box in others if box.label == label], maps
        )
        for label in LABELS
        if any(box.label == label for box in judged)
    }
    return found | {ALL: _over_all(list(found.values()))}


def _over_all(each: Sequence[Pointing]) -> Pointing:
    """Every box counts the same."""
    weights = [pointing.boxes for pointing in each]
    shares = (np.average([vars(pointing)[name] for pointing in each], weights=weights) for name in _SHARES)
    return Pointing(sum(weights), *map(float, shares))


def _score(
    judged: Sequence[DrawnBox], others: Sequence[DrawnBox], maps: Mapping[str, NDArray[np.floating]]
) -> Pointing:
    """`maps` (14, h, w) by image. Without other boxes the mean box is the picture's centre."""
    left, top, right, bottom = np.mean([box.corners for box in others], axis=0) if others else (0.0, 0.0, 1.0, 1.0)
    middle = (float(left + right) / 2, float(top + bottom) / 2)
    hits = [box.holds(*hottest_point(maps[box.image][LABELS.index(box.label)])) for box in judged]
    return Pointing(
        len(judged),
        float(np.mean(hits)),
        float(np.mean([box.holds(0.5, 0.5) for box in judged])),
        float(np.mean([box.holds(*middle) for box in judged])),
    )
