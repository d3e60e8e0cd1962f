"""Cuts a tokenized text into windows that the model can take, by sentence; no token is left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.text_classifier.reading.sentences import Span
from services.text_classifier.reading.tokens import Tokens

OVERLAP = 16
"""Tokens that two pieces of an overlong sentence share, so that a finding at the cut is read whole once."""


@dataclass(frozen=True)
class Window:
    """The tokens `[start, end)` of a text, and the sentences (or pieces of one) among them as token spans."""

    start: int
    end: int
    sentences: tuple[Span, ...]


def cut_windows(tokens: Tokens, sentences: Sequence[Span], limit: int, section: Span | None = None) -> list[Window]:
    """Whole sentences are packed into windows of at most `limit` tokens; only a longer sentence is itself cut.

    They are the sentences of a `section` (its characters) of the text, or of all of it.
    """
    windows: list[Window] = []
    open_sentences: list[Span] = []
    for piece in _token_spans(tokens, sentences, limit, section):
        if open_sentences and (piece[1] - open_sentences[0][0] > limit or piece[0] < open_sentences[-1][1]):
            windows.append(_window(open_sentences))
            open_sentences = []
        open_sentences.append(piece)
    if open_sentences:
        windows.append(_window(open_sentences))
    return windows


def packed(windows: Sequence[Window], limit: int) -> list[tuple[Window, ...]]:
    """Neighbouring windows in groups of at most `limit` tokens; nothing where no two go together."""
    groups: list[list[Window]] = []
    room = 0
    for window in windows:
        size = window.end - window.start
        if size > room:
            groups.append([])
            room = limit
        groups[-1].append(window)
        room -= size
    return [tuple(group) for group in groups] if len(groups) < len(windows) else []


def _window(sentences: Sequence[Span]) -> Window:
    return Window(sentences[0][0], sentences[-1][1], tuple(sentences))


def _token_spans(tokens: Tokens, sentences: Sequence[Span], limit: int, section: Span | None) -> Iterator[Span]:
    """Each sentence as a span of tokens; one longer than `limit` as overlapping pieces that begin at a word."""
    begin, end = (0, len(tokens.ids)) if section is None else np.searchsorted(tokens.starts, section).tolist()
    bounds = np.searchsorted(tokens.starts, [start for start, _ in sentences])
    bounds = np.append(bounds, end)
    bounds[0] = begin
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield from _pieces(tokens, start, end, limit)


def _pieces(tokens: Tokens, start: int, end: int, limit: int) -> Iterator[Span]:
    while end - start > limit:
        cut = _word_start(tokens, start + limit, floor=start + limit // 2)
        yield start, cut
        start = _word_start(tokens, cut - min(OVERLAP, limit // 4), floor=start + 1)
    if end > start:
        yield start, end


def _word_start(tokens: Tokens, position: int, *, floor: int) -> int:
    """The last position up to `position` at which a word begins, or `position` where none does from `floor` on."""
    for candidate in range(position, floor - 1, -1):
        if tokens.words[candidate] != tokens.words[candidate - 1]:
            return candidate
    return position
