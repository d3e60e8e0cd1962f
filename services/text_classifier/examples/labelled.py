"""Labelled texts for training and evaluation: CSV files in CheXpert coding, reports labelled by the rules, and how
they are split so that no patient or report is on two sides.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.labels import CHEXPERT_CODES, LABELS, LabelName, State
from shared.tables import TableUnusable, where_not_utf8

UNKNOWN = -1
"""In place of a state's position: this label of this text is not known, and counts nowhere."""

STATES = tuple(State)
Part = Literal["train", "validation", "test"]
_STATE_OF_CODE = {"" if code is None else str(code): STATES.index(state) for state, code in CHEXPERT_CODES.items()}


@dataclass(frozen=True)
class Example:
    """`states` (14,): positions in `State`, or UNKNOWN. `group` never crosses a split: a patient, or a report."""

    text: str
    states: NDArray[np.int8]
    group: str
    source: str


def encode_states(states: Mapping[LabelName, State]) -> NDArray[np.int8]:
    return np.array([STATES.index(states[label]) for label in LABELS], np.int8)


def part_of(group: str) -> Part:
    """80 / 10 / 10 by a hash of the group, so that a split never changes when data is added."""
    bucket = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") % 10
    return "train" if bucket < 8 else "validation" if bucket == 8 else "test"


def read_csv(file: Path, text_column: str, group_column: str | None = None) -> list[Example]:
    """A CSV in CheXpert coding: 1, -1, 0 and blank; `?` is unknown, and so is a label without a column.

    Rows without a text are left out. Raises ValueError where a column is missing or a code is none of these.
    """
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except UnicodeDecodeError as error:
        raise TableUnusable(where_not_utf8(file)) from error
    except ValueError as error:  # as pandas calls an empty file, and one with lines too long
        raise TableUnusable(f"{file}: {str(error).strip()}.") from error
    for column in filter(None, (text_column, group_column)):
        if column not in table:
            raise ValueError(f"{file} has no column {column!r}; it has: {', '.join(map(str, table.columns))}.")
    states = np.full((len(table), len(LABELS)), UNKNOWN, np.int8)
    for position, label in enumerate(LABELS):
        if label in table:
            states[:, position] = [_state(code, label, row, file) for row, code in enumerate(table[label])]
    texts = table[text_column].str.strip()
    groups = table[group_column] if group_column else texts
    return [
        Example(text, row_states, group, file.name)
        for text, row_states, group in zip(texts, states, groups, strict=True)
        if text
    ]


def _state(code: str, label: str, row: int, file: Path) -> int:
    code = code.strip().removesuffix(".0")
    if code == "?":
        return UNKNOWN
    if code not in _STATE_OF_CODE:
        raise ValueError(f"{file}, row {row + 2}, {label}: {code!r} is none of 1, -1, 0, blank and ?.")
    return _STATE_OF_CODE[code]


def is_unlabelled(examples: Sequence[Example]) -> bool:
    return all((example.states == UNKNOWN).all() for example in examples)


def deduplicated(examples: Iterable[Example], copies: int = 2) -> list[Example]:
    """At most `copies` of the same words: thousands of reports say nothing but 'No acute disease'."""
    seen: dict[str, int] = {}
    kept = []
    for example in examples:
        words = " ".join(example.text.lower().split())
        seen[words] = seen.get(words, 0) + 1
        if seen[words] <= copies:
            kept.append(example)
    return kept
