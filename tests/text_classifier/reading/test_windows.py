import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.text_classifier.reading.tokens import Tokens
from services.text_classifier.reading.windows import OVERLAP, cut_windows


def tokens_of(sentence_lengths: list[int]) -> tuple[Tokens, list[tuple[int, int]]]:
    """One token of one character a word, sentences of so many tokens, a space between all."""
    starts = np.arange(sum(sentence_lengths)) * 2
    bounds = np.cumsum([0, *sentence_lengths])
    spans = [(int(starts[a]), int(starts[b - 1]) + 1) for a, b in itertools.pairwise(bounds)]
    return Tokens(starts, starts, starts + 1, np.arange(len(starts))), spans


@given(st.lists(st.integers(1, 90), min_size=1, max_size=12), st.integers(8, 64))
def test_every_token_is_in_a_window_and_no_window_is_too_long(lengths: list[int], limit: int) -> None:
    tokens, spans = tokens_of(lengths)
    windows = cut_windows(tokens, spans, limit)
    covered = {i for window in windows for start, end in window.sentences for i in range(start, end)}
    assert covered == set(range(len(tokens.ids)))
    assert all(0 < window.end - window.start <= limit for window in windows)


def test_whole_sentences_share_a_window_while_they_fit() -> None:
    tokens, spans = tokens_of([5, 5, 5, 5])
    assert [(w.start, w.end) for w in cut_windows(tokens, spans, 12)] == [(0, 10), (10, 20)]


def test_pieces_of_an_overlong_sentence_overlap() -> None:
    tokens, spans = tokens_of([200])
    windows = cut_windows(tokens, spans, 100)
    assert all(left.end - right.start == OVERLAP for left, right in itertools.pairwise(windows))


def test_a_sentence_is_cut_at_the_beginning_of_a_word() -> None:
    tokens, spans = tokens_of([30])
    words = np.arange(30) // 3  # words of three tokens
    tokens = Tokens(tokens.ids, tokens.starts, tokens.ends, words)
    assert all(window.start % 3 == 0 for window in cut_windows(tokens, spans, 10))
