import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text_classifier.reading.sentences import phrase_spans, sentence_spans


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No effusion. Small pneumothorax.", ["No effusion.", "Small pneumothorax."]),
        ("1. No effusion. 2. Edema.", ["1. No effusion.", "2. Edema."]),
        ("1) no effusion 2) edema", ["1) no effusion", "2) edema"]),
        ("Nodule of 1.5 cm. Stable.", ["Nodule of 1.5 cm.", "Stable."]),
        ("Small left\npleural effusion.\nNo edema", ["Small left\npleural effusion.", "No edema"]),
        ("No edema\n\nno effusion", ["No edema", "no effusion"]),
        ("  effusion  ", ["effusion"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


@given(st.text(alphabet=st.sampled_from("ab1. \n;)!,\t\u00a0X"), max_size=80))
def test_sentences_hold_every_character_but_white_space_once_and_in_order(text: str) -> None:
    assert "".join("".join(piece.split()) for piece in pieces(text)) == "".join(text.split())


def test_a_phrase_keeps_the_word_that_connects_it() -> None:
    text = "Mild cardiomegaly, with small effusions and no edema."
    phrases = [text[start:end] for start, end in phrase_spans(text, (0, len(text)))]
    assert phrases == ["Mild cardiomegaly,", "with small effusions", "and no edema."]


@pytest.mark.parametrize(
    "text", ["a" + " " * 19_000 + "b", "a" + " \n" * 9_000 + "b", "1. " * 6_000, ", " * 9_000, "and " * 5_000]
)
def test_no_text_takes_much_longer_than_its_length(text: str) -> None:
    start = time.perf_counter()
    for sentence in sentence_spans(text):
        phrase_spans(text, sentence)
    assert time.perf_counter() - start < 2  # quadratic time would be minutes
