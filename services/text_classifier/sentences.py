"""Where sentences, and phrases within them, begin and end in a report's text."""

import re
from collections.abc import Iterator

Span = tuple[int, int]
"""Characters `[start, end)`."""

# A full stop after a list number ("1. ") ends nothing; the next number does, and so does a new line, unless the text
# was only wrapped there and goes on in lower case.
_SENTENCE_END = re.compile(
    r"(?<=[.!?;])(?<!\b\d\.)(?<!\b\d\d\.)\s+|\s+(?=\d{1,2}[.)]\s)|[^\S\n]*\n[^\S\n]*(?=\n|[^a-z\s])"
)
_PHRASE_START = re.compile(
    r"(?<=[,;:])\s+|\s+(?=(?:and|or|but|with|without|versus|however|although|which|may|likely|suggesting|suggestive|"
    r"consistent|compatible|concerning|superimposed)\b)",
    re.IGNORECASE,
)


def sentence_spans(text: str) -> list[Span]:
    """Spans in order, without the white space around them; together they hold every other character."""
    return list(_pieces(text, (0, len(text)), _SENTENCE_END))


def phrase_spans(text: str, sentence: Span) -> list[Span]:
    """A sentence cut at its commas and connecting words; each piece keeps the word that connects it to the last."""
    return list(_pieces(text, sentence, _PHRASE_START))


def _pieces(text: str, span: Span, boundary: re.Pattern[str]) -> Iterator[Span]:
    start = span[0]
    for match in boundary.finditer(text, *span):
        yield from _trimmed(text, start, match.start())
        start = match.end()
    yield from _trimmed(text, start, span[1])


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
