"""The phrasebook: what it writes can be read, and its words mean what they are filed under."""

import random

import pytest

from services.text_classifier.examples.writer.everyday import DEVICES, EVERYDAY, NOTHING
from services.text_classifier.examples.writer.findings import WORDINGS
from services.text_classifier.examples.writer.grammar import expand
from services.text_classifier.examples.writer.phrasebook import hard_texts
from services.text_classifier.rules.labeler import label_report
from shared.labels import LABELS, SUPPORT_DEVICES, LabelName, State


def stated(text: str) -> set[LabelName]:
    return {label for label, state in label_report(text).items() if state is not State.NOT_MENTIONED}


def test_same_seed_gives_the_same_texts() -> None:
    assert list(hard_texts(3, 30)) == list(hard_texts(3, 30))
    assert list(hard_texts(3, 30)) != list(hard_texts(4, 30))


def test_no_slot_and_no_name_is_left_open() -> None:
    for text in hard_texts(5, 2000):
        assert text.strip()
        assert not set(text) & set("<>{}")


def test_every_label_appears_in_every_state() -> None:
    seen = {item for text in hard_texts(6, 3000) for item in label_report(text).items()}
    for label in WORDINGS:
        assert {(label, state) for state in State} <= seen


def test_lines_of_a_turn_stay_lines() -> None:
    assert expand(random.Random(1), "{one_side}  effusion: no\nnodule: yes").count("\n") == 1


@pytest.mark.parametrize("label", [label for label in LABELS if label in EVERYDAY])
def test_everyday_words_name_their_finding(label: LabelName) -> None:
    rng = random.Random(2)
    for words in EVERYDAY[label]:
        if "{place}" not in words:
            assert label_report(expand(rng, words))[label] is State.PRESENT, words


@pytest.mark.parametrize("device", DEVICES)
def test_devices_are_devices(device: str) -> None:
    assert label_report(device)[SUPPORT_DEVICES] is State.PRESENT


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_says_nothing(text: str) -> None:
    assert stated(text) == set()
