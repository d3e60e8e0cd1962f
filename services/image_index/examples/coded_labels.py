"""Labels in CheXpert's coding, a column for each: 1 present, 0 and blank absent, -1 uncertain.

`python -m services.text_classifier label` writes such tables of reports, and beside each label how probable it is.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from shared.labels import LABELS, LabelName
from shared.tables import read_whole

_WARNINGS = "text_warnings"
_SAYING_NOTHING = {"not_english", "nothing_stated"}
_CODES = {"": False, "0": False, "1": True, "-1": None}


class CodedLabels(NamedTuple):
    """`present`: the known labels. `probable`: of those among them whose probability the line says, how much."""

    present: Mapping[LabelName, bool]
    probable: Mapping[LabelName, float]


def annotated(columns: Sequence[str]) -> bool:
    return not set(LABELS).isdisjoint(columns)


def says_nothing(line: Mapping[str, str]) -> bool:
    """Whether the labels were read in a text that was not understood, or that speaks of none: blank is not absent."""
    return not _SAYING_NOTHING.isdisjoint(line.get(_WARNINGS, "").split())


def count_saying_nothing(table: Path) -> int:
    """Raises TableUnusable or OSError."""
    return sum(map(says_nothing, read_whole(table).rows))


def read_labels(line: Mapping[str, str], uncertain: Mapping[LabelName, str]) -> CodedLabels:
    """`uncertain`: `zeros` or `ones` for the labels whose -1 is read so; any other -1 is unknown.

    The probability is that of *present* alone, so a doubt has nearly none. It would teach that what a report calls
    possible is absent: an uncertain label never has its probability. Raises ValueError.
    """
    present: dict[LabelName, bool] = {}
    probable: dict[LabelName, float] = {}
    for label in LABELS:
        if label not in line:
            continue
        stated = _stated(line, label)
        if stated is not None:
            present[label] = stated
            if line.get(f"prob_{label}"):
                probable[label] = _probability(line, f"prob_{label}")
        elif uncertain.get(label) in {"zeros", "ones"}:
            present[label] = uncertain[label] == "ones"
    return CodedLabels(present, probable)


def _stated(line: Mapping[str, str], label: LabelName) -> bool | None:
    code = line[label].strip().removesuffix(".0")
    if code not in _CODES:
        raise ValueError(f"{label} is {line[label]!r:.40}, and none of 1, 0, -1 and blank")
    return _CODES[code]


def _probability(line: Mapping[str, str], column: str) -> float:
    try:
        value = float(line[column])
    except ValueError:
        raise ValueError(f"{column} is {line[column]!r:.40}, and no number") from None
    if not 0.0 <= value <= 1.0:  # NaN neither
        raise ValueError(f"{column} is {value}, and no probability: that is 0 to 1")
    return value
