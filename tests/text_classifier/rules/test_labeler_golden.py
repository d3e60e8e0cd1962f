"""200 impressions with the states that a careful reader gives them: the standard against drift.

`golden/impressions.csv` is in CheXpert coding (1 present, -1 uncertain, 0 absent, blank not mentioned); `?` marks what
careful readers may read differently, and counts nowhere.
"""

import csv

from services.text_classifier.rules.labeler import label_report
from shared.labels import CHEXPERT_CODES, LABELS
from tests.repository import REPOSITORY

GOLDEN = REPOSITORY / "tests/text_classifier/rules/golden/impressions.csv"


def cells() -> list[tuple[str, str, str, str]]:
    """(impression, label, code expected, code that the rules give) of every known cell."""
    with GOLDEN.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 200
    found = []
    for row in rows:
        states = label_report(row["impression"])
        for label in LABELS:
            code = CHEXPERT_CODES[states[label]]
            if row[label] != "?":
                found.append((row["impression"], label, row[label], "" if code is None else str(code)))
    return found


def test_rules_find_what_is_present() -> None:
    pairs = [(want == "1", got == "1") for _, _, want, got in cells()]
    hits = pairs.count((True, True))
    f1 = 2 * hits / (2 * hits + pairs.count((True, False)) + pairs.count((False, True)))
    assert f1 >= 0.99


def test_rules_give_the_expected_state() -> None:
    wrong = [cell for cell in cells() if cell[2] != cell[3]]
    assert len(wrong) <= 0.005 * len(cells()), wrong


def test_every_code_of_the_file_is_known() -> None:
    assert {want for _, _, want, _ in cells()} == {"1", "-1", "0", ""}


def test_mild_cardiomegaly_is_present() -> None:
    assert ("Mild cardiomegaly is present.", "Cardiomegaly", "1", "1") in cells()
