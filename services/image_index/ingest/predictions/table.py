"""A table of what some model made of images, in the original project's layout: `path_to_image`, `prob_<label>` for the
14 labels, and optionally `pred_<label>` (0 or 1) and `patient_id`. Read line by line, each checked.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.image_index.ingest.layouts import chexpert_study
from shared.image_ids import image_id_of
from shared.labels import LABELS
from shared.tables import TableUnusable, open_table, repeated

PATH = "path_to_image"
PATIENT = "patient_id"
_PROBABILITIES = tuple(f"prob_{label}" for label in LABELS)
_DECISIONS = tuple(f"pred_{label}" for label in LABELS)
_LATERAL = re.compile(r"(?<![a-z])lateral(?![a-z])")  # view1_lateral.jpg, and not bilateral_effusion.jpg
_IS_PRESENT = {"1": True, "1.0": True, "0": False, "0.0": False}


@dataclass(frozen=True)
class Prediction:
    """`present` (14,) is None where the table has no decisions."""

    path: str
    image_id: str
    probabilities: NDArray[np.float64]  # (14,) in the order of LABELS
    present: NDArray[np.bool_] | None
    patient_id: str | None
    study_instance_uid: str | None  # made of the path: it names no study of a PACS
    is_lateral: bool


@dataclass(frozen=True)
class BadLine:
    number: int  # as an editor counts, the header being line 1
    reason: str


class PredictionTable:
    """Raises TableUnusable where a column is missing, or there twice."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with open_table(file) as lines:
            header = next(lines, [])
        missing = [name for name in (PATH, *_PROBABILITIES) if name not in header]
        if missing:
            raise TableUnusable(f"{file}, line 1: the columns {', '.join(missing)} are missing.")
        twice = repeated(header)
        if twice:
            raise TableUnusable(f"{file}, line 1: the columns {', '.join(twice)} are there more than once.")
        self._columns = len(header)
        self._path = header.index(PATH)
        self._patient = header.index(PATIENT) if PATIENT in header else None
        self._probabilities = [header.index(name) for name in _PROBABILITIES]
        self._decisions = [header.index(name) for name in _DECISIONS] if set(_DECISIONS) <= set(header) else None

    def sha256(self) -> str:
        with self._file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def lines(self) -> Iterator[Prediction | BadLine]:
        """In order. Raises TableUnusable where the file is no CSV in UTF-8."""
        seen: set[bytes] = set()
        with open_table(self._file) as lines:
            next(lines)
            for cells in lines:
                if cells:
                    yield self._read(cells, lines.line_num, seen)

    def _read(self, cells: list[str], number: int, seen: set[bytes]) -> Prediction | BadLine:
        if len(cells) != self._columns:
            return BadLine(number, f"{len(cells)} cells, but the header has {self._columns}.")
        path = cells[self._path].strip()
        image_id = image_id_of(path)
        if not image_id:
            return BadLine(number, f"{PATH} is empty, or holds nothing that an image id may be made of.")
        name = hashlib.blake2b(image_id.encode(), digest_size=16).digest()
        if name in seen:
            return BadLine(number, f"{PATH} gives the image id {image_id}, which an earlier line gave already.")
        seen.add(name)
        try:
            probabilities = self._numbers(cells)
            present = self._present(cells)
        except ValueError as error:
            return BadLine(number, str(error))
        patient, study = chexpert_study(path)
        given = cells[self._patient].strip() if self._patient is not None else ""
        is_lateral = _LATERAL.search(path.rpartition("/")[2].lower()) is not None
        return Prediction(path, image_id, probabilities, present, given or patient, study, is_lateral)

    def _numbers(self, cells: list[str]) -> NDArray[np.float64]:
        """Raises ValueError, which names the column."""
        values = []
        for column, name in zip(self._probabilities, _PROBABILITIES, strict=True):
            try:
                value = float(cells[column])
            except ValueError:
                raise ValueError(f"{name} is {cells[column]!r:.40}, and no number.") from None
            if not 0 <= value <= 1:  # NaN neither
                raise ValueError(f"{name} is {value}, and no probability: that is 0 to 1.")
            values.append(value)
        return np.array(values)

    def _present(self, cells: list[str]) -> NDArray[np.bool_] | None:
        if self._decisions is None:
            return None
        found = [_IS_PRESENT.get(cells[column].strip()) for column in self._decisions]
        if None in found:
            name, column = next(
                (name, column)
                for name, column, one in zip(_DECISIONS, self._decisions, found, strict=True)
                if one is None
            )
            raise ValueError(f"{name} is {cells[column]!r:.40}, and neither 0 nor 1.")
        return np.array(found, dtype=np.bool_)
