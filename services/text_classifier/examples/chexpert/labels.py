"""CheXpert's own tables, `train.csv` and `valid.csv`: the labels of each image, and what else they say of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from services.text_classifier.examples.chexpert.names import name_of
from shared.labels import CHEXPERT_CODES, LABELS
from shared.reasons import Reasons
from shared.tables import TableUnusable, named, open_table, repeated

TABLES = ("train.csv", "valid.csv")
PATH = "Path"
DESCRIBED = ("Sex", "Age", "Frontal/Lateral", "AP/PA")
FRONTAL, PA = "Frontal", "PA"
_CODES = {"" if code is None else str(code) for code in CHEXPERT_CODES.values()}

NO_PATH = "The path has no train/ or valid/ with a patient behind it."


class LabelledImage(NamedTuple):
    """`codes` (14,): 1, 0, -1 or blank. `described` (4,): see DESCRIBED."""

    path: str
    patient: str
    codes: tuple[str, ...]
    described: tuple[str, ...]

    @property
    def is_frontal(self) -> bool:
        return self.described[2] == FRONTAL

    @property
    def is_pa(self) -> bool:
        return self.is_frontal and self.described[3] == PA


def read_labels(folder: Path, reasons: Reasons) -> dict[str, LabelledImage]:
    """By `ImageName.key`. `reasons` is told of rows that cannot be used. Raises TableUnusable or OSError."""
    images: dict[str, LabelledImage] = {}
    same: dict[tuple[str, ...], tuple[str, ...]] = {}  # a quarter of a million rows hold a few thousand of them
    for table in TABLES:
        with open_table(folder / table) as lines:
            columns = next(lines, [])
            _check(folder / table, columns)
            for cells in lines:
                if cells:
                    _add(named(columns, cells), table, images, same, reasons)
    return images


def _check(table: Path, columns: Sequence[str]) -> None:
    missing = [name for name in (PATH, *DESCRIBED, *LABELS) if name not in columns]
    if missing:
        raise TableUnusable(f"{table} lacks the columns {', '.join(missing)}.")
    if twice := repeated(columns):
        raise TableUnusable(f"{table}: the columns {', '.join(twice)} are there more than once.")


def _add(
    line: dict[str, str],
    table: str,
    images: dict[str, LabelledImage],
    same: dict[tuple[str, ...], tuple[str, ...]],
    reasons: Reasons,
) -> None:
    name = name_of(line[PATH])
    if name is None:
        reasons.add(f"{table}: {NO_PATH}", line[PATH])
        return
    if name.key in images:
        reasons.add(f"{table}: the image was there already; its first row counts.", line[PATH])
        return
    codes = tuple(line[label].strip().removesuffix(".0") for label in LABELS)
    wrong = next((label for label, code in zip(LABELS, codes, strict=True) if code not in _CODES), None)
    if wrong is not None:
        reasons.add(f"{table}: {wrong} is none of 1, 0, -1 and blank.", line[PATH])
        return
    described = tuple(line[column].strip() for column in DESCRIBED)
    images[name.key] = LabelledImage(
        name.path, name.patient, same.setdefault(codes, codes), same.setdefault(described, described)
    )
