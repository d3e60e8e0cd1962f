"""The generator: deterministic, wide, and in agreement with a reader that does not know its plan."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from services.text_classifier.examples.writer.corpus import generate, write_csv
from services.text_classifier.rules.labeler import label_report
from shared.labels import LABELS, NO_FINDING, SUPPORT_DEVICES, State

pytestmark = pytest.mark.slow

STATES_OF_NO_FINDING = {State.PRESENT, State.NOT_MENTIONED}


def test_rules_agree_with_construction() -> None:
    """The rules read the text alone; where they differ from the plan, one of the two is wrong."""
    agreed = Counter(
        label_report(labeled.text)[label] == state
        for labeled in generate(11, 1500)
        for label, state in labeled.states.items()
    )
    assert agreed[True] / agreed.total() >= 0.999


def test_same_seed_gives_the_same_texts() -> None:
    assert list(generate(3, 50)) == list(generate(3, 80))[:50]
    assert list(generate(3, 50)) != list(generate(4, 50))


def test_every_label_appears_in_every_state() -> None:
    seen = {(label, state) for labeled in generate(5, 3000) for label, state in labeled.states.items()}
    expected = {(label, state) for label in LABELS for state in State}
    expected -= {(NO_FINDING, State.ABSENT), (NO_FINDING, State.UNCERTAIN), (SUPPORT_DEVICES, State.UNCERTAIN)}
    assert seen == expected


def test_texts_rarely_repeat() -> None:
    texts = [labeled.text for labeled in generate(6, 3000)]
    assert len(set(texts)) > 0.95 * len(texts)
    assert all(text.strip() for text in texts)


def test_no_finding_excludes_findings() -> None:
    for labeled in generate(7, 500):
        if labeled.states[NO_FINDING] is State.PRESENT:
            others = {state for label, state in labeled.states.items() if label not in (NO_FINDING, SUPPORT_DEVICES)}
            assert others <= {State.ABSENT, State.NOT_MENTIONED}


def test_csv_holds_chexpert_codes(tmp_path: Path) -> None:
    file = tmp_path / "corpus.csv"
    write_csv(file, generate(8, 40))
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["impression"] for row in rows] == [labeled.text for labeled in generate(8, 40)]
    assert {row[label] for row in rows for label in LABELS} == {"1", "-1", "0", ""}
