"""Impressions of 33 kinds that public bug reports complain of, read by the served model."""

from pathlib import Path

import pytest

from services.text_classifier.reading.classifier import TextClassifier
from shared.labels import LabelName, State
from tests.text_classifier.kinds import read_kinds, wrong_labels


def states(model: TextClassifier, text: str) -> dict[LabelName, State]:
    (result,) = model.classify([model.read(text)])
    return {label: of_label.state for label, of_label in result.labels.items()}


@pytest.mark.real_data
def test_nine_in_ten_are_read_wholly_right(real_data: Path, bundled: TextClassifier) -> None:
    rows = read_kinds(real_data)
    wrong = {row["id"]: wrong for row in rows if (wrong := wrong_labels(row, states(bundled, row["impression"])))}
    assert len(rows) - len(wrong) >= 90, wrong
