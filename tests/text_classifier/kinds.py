"""The impressions of `../shared/cases/text_kinds.csv`: 33 kinds, in CheXpert coding; `?` may be read either way."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.labels import CHEXPERT_CODES, LABELS, LabelName, State

Row = dict[str, str]


def read_kinds(real_data: Path) -> list[Row]:
    path = real_data.parent / "cases" / "text_kinds.csv"
    if not path.is_file():
        pytest.skip(f"the kinds of impressions are not beside this checkout ({path.name} is absent)")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def wrong_labels(row: Row, states: Mapping[LabelName, State]) -> list[str]:
    codes = {label: CHEXPERT_CODES[state] for label, state in states.items()}
    got = {label: "" if code is None else str(code) for label, code in codes.items()}
    return [f"{label}: {got[label]}, not {row[label]}" for label in LABELS if row[label] not in ("?", got[label])]
