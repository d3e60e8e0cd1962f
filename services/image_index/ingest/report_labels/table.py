"""The table that `python -m services.text_classifier label` writes, read line by line, each checked: the 14 labels in
CheXpert's codes, `prob_<label>`, `text_model`, `text_warnings`, and a column by which images are known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from services.image_index.ingest.predictions.table import BadLine
from services.image_index.ingest.report_labels.named_by import NamedBy
from services.image_index.patient_keys import PatientKeys
from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.report_evidence import evidence_of_report
from services.image_index.store.reports import NewReport, ReportTarget
from shared.labels import CHEXPERT_CODES, LABELS, State
from shared.schemas.images import Sha256
from shared.schemas.reports import Issued
from shared.tables import TableUnusable, open_table, repeated

MODEL = "text_model"
WARNINGS = "text_warnings"
NOT_ENGLISH = "The report is not in English: its labels tell nothing of what it says (column text_warnings)."

_PROBABILITIES = tuple(f"prob_{label}" for label in LABELS)
_STATES: Mapping[str, State] = {
    text: state
    for state, code in CHEXPERT_CODES.items()
    for text in ([""] if code is None else [f"{code}", f"{code}.0"])
}
_SHA256: TypeAdapter[str] = TypeAdapter(Sha256)
_ISSUED: TypeAdapter[datetime] = TypeAdapter(Issued)


@dataclass(frozen=True)
class ReportLine:
    number: int  # where it begins, as an editor counts, the header being line 1
    target: ReportTarget
    report: NewReport


class ReportTable:
    """`base_rates` (14,): how often reports state each label. Without `prob_` columns a label is as probable as its
    state says: 1 or 0.

    Raises TableUnusable where a column is missing, or there twice.
    """

    def __init__(
        self, file: Path, named_by: NamedBy, issued_column: str | None, keys: PatientKeys, base_rates: Vector
    ) -> None:
        self._file = file
        self._named_by = named_by
        self._keys = keys
        self._base_rates = base_rates
        with open_table(file) as lines:
            header = next(lines, [])
        _refuse_missing(file, header, named_by.column, issued_column)
        self._width = len(header)
        self._name = header.index(named_by.column)
        self._states = [header.index(label) for label in LABELS]
        self._probabilities = [header.index(name) for name in _PROBABILITIES if name in header]
        self._model = header.index(MODEL)
        self._warnings = header.index(WARNINGS) if WARNINGS in header else None
        self._issued = None if issued_column is None else header.index(issued_column)

    def count(self) -> int:
        """How many `lines` gives. Raises TableUnusable."""
        with open_table(self._file) as lines:
            return max(sum(1 for cells in lines if cells) - 1, 0)

    def lines(self) -> Iterator[ReportLine | BadLine]:
        """In order. Raises TableUnusable where the file is no CSV in UTF-8."""
        with open_table(self._file) as lines:
            next(lines)
            number = lines.line_num + 1
            for cells in lines:
                if cells:
                    yield self._read(cells, number)
                number = lines.line_num + 1

    def _read(self, cells: Sequence[str], number: int) -> ReportLine | BadLine:
        if len(cells) != self._width:
            return BadLine(number, f"{len(cells)} cells, but the header has {self._width}.")
        if self._warnings is not None and "not_english" in cells[self._warnings].split():
            return BadLine(number, NOT_ENGLISH)
        try:
            target = self._named_by.target(cells[self._name].strip(), self._keys)
            return ReportLine(number, target, self._report(cells))
        except ValueError as error:
            return BadLine(number, str(error))

    def _report(self, cells: Sequence[str]) -> NewReport:
        """Raises ValueError, which names the column and never what else the line holds."""
        states = tuple(_state(label, cells[column]) for label, column in zip(LABELS, self._states, strict=True))
        given = _moment(cells[self._issued].strip()) if self._issued is not None else None
        return NewReport(
            evidence=evidence_of_report(states, self._probabilities_of(cells, states), self._base_rates),
            states=states,
            text_model_sha256=_weights(cells[self._model].strip()),
            issued=given or datetime.now(UTC),
            issued_given=given is not None,
        )

    def _probabilities_of(self, cells: Sequence[str], states: Sequence[State]) -> Vector:
        if not self._probabilities:
            return np.array([float(state is State.PRESENT) for state in states])
        return np.array(
            [_probability(name, cells[at]) for name, at in zip(_PROBABILITIES, self._probabilities, strict=True)]
        )


def _refuse_missing(file: Path, header: Sequence[str], name: str, issued: str | None) -> None:
    some_probabilities = [column for column in _PROBABILITIES if column in header]
    needed = [name, *LABELS, *(_PROBABILITIES if some_probabilities else ()), MODEL, *([issued] if issued else [])]
    missing = [column for column in needed if column not in header]
    if missing:
        raise TableUnusable(
            f"{file}, line 1: the columns {', '.join(missing)} are missing. The labels are those that "
            "`python -m services.text_classifier label` writes; --image-column, --study-column or --accession-column "
            "names the column by which images are known."
        )
    twice = repeated(header)
    if twice:
        raise TableUnusable(f"{file}, line 1: the columns {', '.join(twice)} are there more than once.")


def _state(label: str, cell: str) -> State:
    state = _STATES.get(cell.strip())
    if state is None:
        raise ValueError(f"{label} is none of 1, 0, -1 and blank.")
    return state


def _probability(name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{name} is no number.") from None
    if not 0 <= value <= 1:  # NaN neither
        raise ValueError(f"{name} is no probability: that is 0 to 1.")
    return value


def _weights(cell: str) -> str:
    try:
        return _SHA256.validate_python(cell)
    except ValidationError:
        raise ValueError(f"{MODEL} is no SHA-256 in 64 hex digits.") from None


def _moment(cell: str) -> datetime | None:
    """In UTC, which is taken for granted where no offset is given. None of an empty cell."""
    if not cell:
        return None
    try:
        read = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError("The time of issue is not written as 2026-03-01T09:30:00+01:00 or 2026-03-01.") from None
    try:
        return _ISSUED.validate_python(read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except ValidationError:
        raise ValueError("The time of issue lies in the future, or before the first radiograph was taken.") from None
