"""Impressions of 33 kinds that public bug reports complain of: how many of each the rules read wholly right.

`../shared/cases/text_kinds.csv` is in CheXpert coding; `?` marks what may be read either way.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest

from services.text_classifier.rules.labeler import label_report
from shared.labels import CHEXPERT_CODES, LABELS

pytestmark = pytest.mark.real_data
OF_A_KIND = 3


@pytest.fixture(scope="module")
def rows(real_data: Path) -> list[dict[str, str]]:
    path = real_data.parent / "cases" / "text_kinds.csv"
    if not path.is_file():
        pytest.skip(f"the kinds of impressions are not beside this checkout ({path.name} is absent)")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def wrong_labels(row: dict[str, str]) -> list[str]:
    codes = {label: CHEXPERT_CODES[state] for label, state in label_report(row["impression"]).items()}
    got = {label: "" if code is None else str(code) for label, code in codes.items()}
    return [f"{label}: {got[label]}, not {row[label]}" for label in LABELS if row[label] not in ("?", got[label])]


def test_every_kind_is_read_right(rows: list[dict[str, str]]) -> None:
    right = Counter(row["kind"] for row in rows if not wrong_labels(row))
    assert dict(right) == {row["kind"]: OF_A_KIND for row in rows}, {
        row["impression"]: wrong for row in rows if (wrong := wrong_labels(row))
    }
