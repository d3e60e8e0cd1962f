"""Impressions of 33 kinds that public bug reports complain of: how many of each the rules read wholly right."""

from collections import Counter
from pathlib import Path

import pytest

from services.text_classifier.rules.labeler import label_report
from tests.text_classifier.kinds import read_kinds, wrong_labels

pytestmark = pytest.mark.real_data
OF_A_KIND = 3


def test_every_kind_is_read_right(real_data: Path) -> None:
    rows = read_kinds(real_data)
    wrong = {row["id"]: wrong_labels(row, label_report(row["impression"])) for row in rows}
    right = Counter(row["kind"] for row in rows if not wrong[row["id"]])
    assert dict(right) == {row["kind"]: OF_A_KIND for row in rows}, [
        (id_, found) for id_, found in wrong.items() if found
    ]
