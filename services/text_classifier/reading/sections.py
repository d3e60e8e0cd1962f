"""A report cut at its headings, and which of its sections say what is seen.

History, comparison and the like are context, and are not read. Where they end is certain only where the findings follow
below a heading of their own: at the next heading. Where only the impression follows, a blank line ends them too; else
their own line does, or their first sentence, where they are within a line or nothing else would be read ("Clinical
history: CHF. Lungs are clear."). A heading that is not known ends them as well. What is below no known heading is read,
so that no finding is lost by the shape of a text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from services.text_classifier.reading.headings import CONTEXT, REPORT, Heading, find_headings
from shared.schemas.sections import SectionName

_INK = re.compile(r"\S")
_WHITE_SPACE = re.compile(r"\s+")
_UNKNOWN_HEADING = re.compile(r"[\r\n][ \t*_#]*[A-Z][A-Za-z '’/&()-]{1,40}[*_]*:")
_BREAK = re.compile(r"[\r\n]")
_FULL_LINE = 60
"""Characters of a line from which on it may be wrapped in the middle of a sentence."""
_RULE = re.compile(r"[=_~*-]{3,}\s*")
_BULLET = re.compile(r"(?:[-*•·]|\d{1,2}[.)])[ \t]*\S")
_LIST_NUMBER = re.compile(r"\d{1,2}[.)]\s")
_ABBREVIATIONS = frozenset(("dr", "mr", "mrs", "ms", "prof", "pt", "vs", "yr", "yrs", "approx", "dob", "hx"))


@dataclass(frozen=True, slots=True)
class Part:
    """The section `[start, end)` of a text, whose heading ends at `body`. `read`: it says what is seen."""

    name: SectionName
    start: int
    body: int
    end: int
    read: bool


def split_sections(text: str) -> list[Part]:
    """In order; together they hold all of the text but white space. Empty for a text without headings.

    Takes time in proportion to the length of the text.
    """
    if ":" not in text and "\n" not in text and "\r" not in text:
        return []
    headings = list(find_headings(text))
    if not headings:
        return []
    parts = [Part("other", 0, 0, headings[0].start, read=True)]
    ends = _ends(text, headings)
    for heading, end, following in zip(headings, ends, [*(h.start for h in headings[1:]), len(text)], strict=True):
        parts.append(Part(heading.name, heading.start, heading.end, end, read=heading.name not in CONTEXT))
        parts.append(Part("other", end, end, following, read=True))
    return _without_loss([part for part in (_trimmed(text, part) for part in parts) if part.start < part.end])


def _without_loss(parts: list[Part]) -> list[Part]:
    """Where no section is headed as a report, people write it behind any heading ("Exam: left effusion is larger."):
    then the examination and the technique are read, and what it is compared with where there is nothing else.
    """
    if any(part.name in REPORT for part in parts):
        return parts
    alone = all(part.name == "comparison" for part in parts)
    return [replace(part, read=part.read or alone or part.name in ("examination", "technique")) for part in parts]


def ranks_of(parts: Sequence[Part]) -> list[int]:
    """For each section a number: what the section of the highest states of a label goes first.

    Impressions come before all else, of several the last one, which is the final one; addenda amend them.
    """
    order = [n for name in ("impression", "addendum") for n, part in enumerate(parts) if part.name == name]
    return [order.index(n) + 1 if n in order else 0 for n in range(len(parts))]


def _ends(text: str, headings: Sequence[Heading]) -> list[int]:
    """Where the section of each heading ends; those that are read end at the next heading."""
    ends = [*(heading.start for heading in headings[1:]), len(text)]
    says = [_says(text, heading.end, end) for heading, end in zip(headings, ends, strict=True)]
    reports = [number for number, heading in enumerate(headings) if heading.name not in CONTEXT]
    first_report = min(reports, default=len(headings))
    first_that_says = min((number for number in reports if says[number]), default=len(headings))
    later: set[SectionName] = set()  # what is read and says something, after the section that is looked at
    for number in reversed(range(len(headings))):
        heading, limit = headings[number], ends[number]
        if heading.name in CONTEXT:
            body = _Body(text, heading.end, limit)
            if "findings" in later:
                ends[number] = body.end
            elif "impression" in later and number < first_report:
                ends[number] = body.cut(_ends_paragraph)
            else:
                line = body.cut(_ends_line)
                others = later or number > first_that_says or _says(text, line, limit)
                ends[number] = line if heading.begins_line and others else body.cut(_ends_sentence)
            if _says(text, ends[number], limit):
                later.add("other")
        elif says[number]:
            later.add(heading.name)
    return ends


class _Body:
    """The text of a context section, up to the next heading, known or not."""

    def __init__(self, text: str, start: int, limit: int) -> None:
        self._text = text
        ink = _INK.search(text, start, limit)
        self._start = ink.start() if ink else limit
        rule = _RULE.match(text, self._start, limit)
        self._start = rule.end() if rule else self._start
        self._is_list = _BULLET.match(text, self._start, limit) is not None
        number = _LIST_NUMBER.match(text, self._start, limit)
        self._start = number.end() if number else self._start
        unknown = _UNKNOWN_HEADING.search(text, self._start, limit)
        self.end = unknown.start() if unknown else limit

    def cut(self, is_end: Callable[[str, int, int], bool]) -> int:
        """The first white space that is an end, or the end of all."""
        for match in _WHITE_SPACE.finditer(self._text, self._start, self.end):
            goes_on = self._is_list and _BULLET.match(self._text, match.end(), self.end)
            if match.end() < self.end and not goes_on and is_end(self._text, *match.span()):
                return match.start()
        return self.end


def _ends_paragraph(text: str, start: int, end: int) -> bool:
    return max(text.count("\n", start, end), text.count("\r", start, end)) > 1


def _ends_line(text: str, start: int, end: int) -> bool:
    """Whether a line ends at the white space `[start, end)` that is not merely wrapped there."""
    if _ends_paragraph(text, start, end):
        return True
    if text[start - 1] == "," or text[end].islower():
        return False
    full = start >= _FULL_LINE and not _BREAK.search(text, start - _FULL_LINE, start)
    return _BREAK.search(text, start, end) is not None and not (full and text[start - 1] not in ".!?;")


def _ends_sentence(text: str, start: int, end: int) -> bool:
    if _ends_line(text, start, end) or (text[start - 1] == "?" and text[end].isupper()):
        return True
    if text[start - 1] not in ".!":
        return False
    words = text[max(0, start - 12) : start - 1].split()
    word = words[-1].lower() if words else ""
    return word not in _ABBREVIATIONS and not ("." in word and text[end].islower())


def _says(text: str, start: int, end: int) -> bool:
    return _INK.search(text, start, end) is not None


def _trimmed(text: str, part: Part) -> Part:
    """Without the white space around it."""
    start, end = part.start, part.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return replace(part, start=start, body=min(max(start, part.body), end), end=end)
