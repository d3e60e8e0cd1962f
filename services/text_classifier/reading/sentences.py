"""Where sentences, and phrases within them, begin and end in a report's text.

Each run of white space is looked at once, so that no text, however odd, takes longer than its length.
"""

import re
from collections.abc import Callable, Iterator

Span = tuple[int, int]
"""Characters `[start, end)`."""

_WHITE_SPACE = re.compile(r"\s+")
_LIST_NUMBER = re.compile(r"\d{1,2}[.)]\s")
_CONNECTION = re.compile(
    r"(?:and|or|but|with|without|versus|however|although|which|may|likely|suggesting|suggestive|consistent|compatible|"
    r"concerning|superimposed)\b",
    re.IGNORECASE,
)


def sentence_spans(text: str, within: Span | None = None) -> list[Span]:
    """Spans in order, without the white space around them; together they hold every other character."""
    return list(_pieces(text, within or (0, len(text)), _ends_sentence))


def phrase_spans(text: str, sentence: Span) -> list[Span]:
    """A sentence cut at its commas and connecting words; each piece keeps the word that connects it to the last."""
    return list(_pieces(text, sentence, _ends_phrase))


def _ends_sentence(text: str, start: int, end: int) -> bool:
    """Whether a sentence ends at the white space `[start, end)`.

    A full stop after a list number ("1. ") ends nothing. The next number does, and so does a new line, unless the text
    was only wrapped there and goes on in lower case.
    """
    if text[start - 1] in ".!?;" and not _is_list_number(text, start):
        return True
    lines = text.count("\n", start, end)
    return lines > 1 or (lines == 1 and not text[end].islower()) or _LIST_NUMBER.match(text, end) is not None


def _is_list_number(text: str, end: int) -> bool:
    """Whether the word that ends here is a number of one or two digits with a full stop."""
    word = text[max(0, end - 4) : end].rsplit(maxsplit=1)[-1]
    return len(word) in (2, 3) and word[:-1].isdecimal() and word.endswith(".")


def _ends_phrase(text: str, start: int, end: int) -> bool:
    return text[start - 1] in ",;:" or _CONNECTION.match(text, end) is not None


def _pieces(text: str, span: Span, is_end: Callable[[str, int, int], bool]) -> Iterator[Span]:
    """The span cut at those of its white spaces that are an end, and without the white space around it."""
    start, end = span
    piece = start
    for match in _WHITE_SPACE.finditer(text, start, end):
        if match.start() == start:
            piece = match.end()
        elif match.end() < end and is_end(text, *match.span()):
            yield piece, match.start()
            piece = match.end()
    while end > piece and text[end - 1].isspace():
        end -= 1
    if piece < end:
        yield piece, end
