"""The writer's side of a gallery: rows are appended, dead ones marked, and each change is published as a new gallery.

Galleries handed out before stay as they were: rows are only ever written behind the last row that they see, and the
marks of the dead are copied before they change. One thread writes at a time; any number read.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.gallery import LATERAL, NO_DAY, SEXES, VIEWS, Gallery, Names, Vocabulary
from services.image_index.ranking.likeness import WORDS, words_of
from services.image_index.ranking.resident import Resident
from services.image_index.ranking.statistics import exact_sums, statistics_of
from services.image_index.store.row import Change, Row
from shared.labels import LABELS

_FIRST_CAPACITY = 1024
_VIEW_CODES: Mapping[str | None, int] = {None: -1, **{view: code for code, view in enumerate(VIEWS)}}
_SEX_CODES: Mapping[str | None, int] = {None: -1, **{sex: code for code, sex in enumerate(SEXES)}}
_COLUMNS: dict[str, Any] = {
    "alive": np.bool_,
    "row_generation": np.int64,
    "view": np.int8,
    "sex": np.int8,
    "age": np.float32,
    "study_day": np.int32,
    "image": np.int32,
    "study": np.int32,
    "patient": np.int32,
    "report": np.int32,
}


class GrowingGallery:
    """`gallery` is the last one published."""

    def __init__(self, generation: int = 0) -> None:
        self._start(_FIRST_CAPACITY)
        self.gallery = self._publish(generation)

    def _start(self, capacity: int) -> None:
        self._vocabulary = Vocabulary(Names(), Names(), Names())
        self._probabilities = np.empty((len(LABELS), capacity), dtype=np.float32)
        self._columns = {name: np.empty(capacity, dtype=dtype) for name, dtype in _COLUMNS.items()}
        self._place: dict[str, int] = {}  # image_id -> row
        self._rows = 0
        self._fingerprints = np.zeros((WORDS, capacity), dtype=np.uint64)
        self._report_evidence = np.empty((len(LABELS), 0), dtype=np.float16)
        self._reports = 0
        self._sums = np.zeros((3, len(LABELS)), dtype=np.int64)  # over the rows alive that are no lateral views
        self._summed = 0  # so many
        self._resident = Resident()

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._place

    def apply(self, changes: Sequence[Change], generation: int) -> None:
        """Make the changes, in their order, and publish them together as `generation`."""
        last = {change.image_id: change.row for change in changes}
        gone = [self._place.pop(image_id) for image_id in last if image_id in self._place]
        if gone:
            self._columns["alive"] = self._columns["alive"].copy()
            self._columns["alive"][gone] = False
            self._sum(np.array(gone), sign=-1)
        self._append([row for row in last.values() if row is not None])
        self.gallery = self._publish(generation)
        if self._rows > 2 * max(len(self._place), _FIRST_CAPACITY):
            self._compact()

    def load(self, blocks: Iterable[Sequence[Row]], generation: int) -> None:
        """Append many rows, block by block, and publish once."""
        for block in blocks:
            self._append(block)
        self.gallery = self._publish(generation)

    def _append(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        start, end = self._rows, self._rows + len(rows)
        self._make_room(end)
        ids, blobs, generations, views, sexes, ages, studies, patients, days, prints, reports = zip(*rows, strict=True)
        block = np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(rows), len(LABELS)).T
        self._probabilities[:, start:end] = block
        self._fingerprints[:, start:end] = words_of(prints)
        words = self._vocabulary
        values: dict[str, Any] = {
            "alive": True,
            "row_generation": generations,
            "view": [_VIEW_CODES[view] for view in views],
            "sex": [_SEX_CODES[sex] for sex in sexes],
            "age": np.array(ages, dtype=np.float32),  # None becomes NaN
            "study_day": [NO_DAY if day is None else date.fromisoformat(day).toordinal() for day in days],
            "image": [words.images.code(image_id) for image_id in ids],
            "study": [words.studies.code(study) for study in studies],
            "patient": [words.patients.code(patient) for patient in patients],
            "report": self._keep_reports(reports),
        }
        for name, column in values.items():
            self._columns[name][start:end] = column
        self._sum(np.arange(start, end), sign=1)
        self._place.update(zip(ids, range(start, end), strict=True))
        self._rows = end

    def _keep_reports(self, blobs: Sequence[bytes | None]) -> NDArray[np.int32]:
        """The column of each row's report."""
        there = np.array([blob is not None for blob in blobs])
        fresh = [blob for blob in blobs if blob is not None]
        end = self._reports + len(fresh)
        if fresh:
            if end > self._report_evidence.shape[1]:
                more = max(end, 2 * self._report_evidence.shape[1], _FIRST_CAPACITY) - self._report_evidence.shape[1]
                self._report_evidence = np.pad(self._report_evidence, ((0, 0), (0, more)))
            block = np.frombuffer(b"".join(fresh), dtype="<f2").reshape(len(fresh), len(LABELS)).T
            self._report_evidence[:, self._reports : end] = block
        columns = np.full(len(blobs), -1, dtype=np.int32)
        columns[there] = np.arange(self._reports, end)
        self._reports = end
        return columns

    def _sum(self, rows: NDArray[np.intp], *, sign: int) -> None:
        """What is usual is told by the views that the encoder reads: lateral ones change no answer without them."""
        counted = rows[self._columns["view"][rows] != LATERAL]
        self._sums += sign * exact_sums(self._probabilities[:, counted])
        self._summed += sign * len(counted)

    def _make_room(self, rows: int) -> None:
        capacity = self._probabilities.shape[1]
        if rows <= capacity:
            return
        more = max(rows, 2 * capacity) - capacity
        self._probabilities = np.pad(self._probabilities, ((0, 0), (0, more)))
        self._fingerprints = np.pad(self._fingerprints, ((0, 0), (0, more)))
        self._columns = {name: np.pad(column, (0, more)) for name, column in self._columns.items()}

    def _compact(self) -> None:
        """Leave the dead rows behind. Names of deleted images stay known until the next start."""
        rows = np.sort(np.fromiter(self._place.values(), dtype=np.intp, count=len(self._place)))
        self._probabilities = self._probabilities[:, rows]
        self._fingerprints = self._fingerprints[:, rows]
        self._columns = {name: column[rows] for name, column in self._columns.items()}
        self._rows = len(rows)
        reported = self._columns["report"] >= 0
        self._report_evidence = self._report_evidence[:, self._columns["report"][reported]]
        self._reports = int(reported.sum())
        self._columns["report"][reported] = np.arange(self._reports)
        self._resident = Resident()  # searches of older galleries keep the one that knows their rows
        ids = self._vocabulary.images.names(self._columns["image"])
        self._place = {image_id: place for place, image_id in enumerate(ids)}
        self.gallery = self._publish(self.gallery.generation)

    def _publish(self, generation: int) -> Gallery:
        rows, size = self._rows, len(self._place)
        return Gallery(
            generation=generation,
            size=size,
            vocabulary=self._vocabulary,
            probabilities=self._probabilities[:, :rows],
            fingerprints=self._fingerprints[:, :rows],
            report_evidence=self._report_evidence[:, : self._reports],
            statistics=statistics_of(self._sums, self._summed),
            resident=self._resident,
            **{name: column[:rows] for name, column in self._columns.items()},
        )
