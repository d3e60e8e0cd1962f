"""The headings of a report: "FINDINGS:", "**Clinical history:**", "1. IMPRESSION:", or IMPRESSION alone on its line.

A heading has its colon and begins a line or a sentence. Within a sentence, as in a report that has lost its line ends,
it begins with a capital and no small word leads up to it ("no change since the prior exam: ..."). Without its colon it
is alone on its line, in capitals or marked up.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from shared.schemas.sections import SectionName

_STUDY = r"(?:exam(?:ination)?s?|stud(?:y|ies)|tests?|films?|x-?rays?|procedures?|imaging|radiographs?)"
_WHOSE = r"(?:(?:clinical|medical|surgical|past|present|relevant|pertinent|brief|patient|patient's) )*"
_KIND = r"(?:(?:chest|lung|imaging|radiograph(?:ic)?|radiolog(?:y|ic|ical)|x-?ray|final|overall|preliminary) )*"
_PHRASES: dict[SectionName, tuple[str, ...]] = {
    "history": (
        rf"{_WHOSE}(?:history|hx|information|info|details|data)",
        r"clinical (?:notes?|statements?|context|summary|background|presentation|problems?|status|condition)",
        r"history of (?:the )?present(?:ing)? illness|hpi|pmhx?|cc|(?:chief|presenting) complaints?|symptoms?",
        r"(?:clinical|admission|admitting|provisional|working|referring|pre-?operative) diagnos[ei]s",
        r"(?:dx|icd|diagnosis) codes?",
        r"(?:underlying )?medical conditions?",
    ),
    "indication": (
        r"(?:(?:clinical|medical|study|exam) )*indications?|reason|request",
        rf"(?:indications?|reasons?) for (?:the |this |that )?(?:{_STUDY}|request|referral|visit)",
        r"clinical (?:questions?|concerns?)|questions?(?: to be answered)?",
    ),
    "comparison": (
        rf"(?:comparisons?|priors?|previous)(?: {_STUDY})?|compared (?:with|to)",
        r"(?:prior|previous|earlier|old|outside|last) (?:findings?|reports?|results?|impressions?|conclusions?)",
    ),
    "technique": (r"(?:imaging |exam(?:ination)? )?(?:techniques?|protocol)|(?:number of )?(?:views?|projections?)",),
    "examination": (
        r"exam(?:ination)?s?|stud(?:y|ies)|procedures?|modality",
        rf"(?:type|name|date|time) of (?:the )?{_STUDY}|{_STUDY} (?:type|name|date|time|performed)",
    ),
    "findings": (rf"{_KIND}(?:findings?|reports?|results?)|wet read",),
    "impression": (rf"{_KIND}(?:impressions?|imp|conclusions?|opinion|interpretation|summary|assessment)",),
    "recommendation": (r"recommendations?|advice",),
    "addendum": (r"addend(?:um|a)",),
}
_NAMED = re.compile("|".join(f"(?P<{name}>{'|'.join(phrases)})" for name, phrases in _PHRASES.items()))
_TITLE = re.compile(rf".* reports?|(?:.* )?{_STUDY}")
"""Alone on its line and without a colon, such a phrase is the title of the whole text."""

CONTEXT: frozenset[SectionName] = frozenset({"history", "indication", "comparison", "technique", "examination"})
"""Sections that say why and how the picture was taken, and what it is compared with: not what is seen."""

REPORT: frozenset[SectionName] = frozenset({"findings", "impression", "addendum"})
"""Sections that say it under their name."""

_SMALL: frozenset[SectionName] = frozenset({"findings", "impression"})
"""Sections whose heading is known within a line that has no capitals at all."""

_LONGEST = 72
_MOST_WORDS = 6
_LINE = re.compile(r"\S[^\r\n]*")
_MARKS = "*_#=~>|•·-–— \t\r\u00a0"
_LEAD = re.compile(r"[\W_]*(?:\d{1,2}[.)][\W_]*)?")
_NOT_IN_A_HEADING = re.compile(r"[^A-Za-z \t\u00a0/&,+'’-]")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_AND = re.compile(r"\s*(?:[/&,+]|\band\b)\s*")
_ENDS_A_SENTENCE = tuple(".!?;:)|•")
_LEADS_UP = re.compile(r"an?|and|as|by|for|from|in|is|no|of|on|or|our|since|than|the|this|to|with", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """The characters `[start, end)`, with the colon and what marks the heading up; its text begins at `end`."""

    name: SectionName
    start: int
    end: int
    begins_line: bool


def find_headings(text: str) -> Iterator[Heading]:
    """In order. Takes time in proportion to the length of the text."""
    for line in _LINE.finditer(text):
        rest = behind = line.start()
        colon = text.find(":", rest, line.end())
        if colon < 0 and (heading := _alone(line)):
            yield heading
        while colon >= 0:
            if heading := _before(line, rest, behind, colon):
                yield heading
                rest = heading.end
            behind = colon + 1
            colon = text.find(":", behind, line.end())


def _alone(line: re.Match[str]) -> Heading | None:
    """The heading that a line without a colon is."""
    if line.end() - line.start() > _LONGEST:
        return None
    phrase = _LEAD.sub("", line[0], count=1).rstrip(_MARKS + ".")
    if not (phrase.isupper() or line[0].startswith(("#", "**", "__"))) or _TITLE.fullmatch(phrase.lower()):
        return None
    name = _name(phrase)
    return Heading(name, *line.span(), begins_line=True) if name else None


def _before(line: re.Match[str], rest: int, behind: int, colon: int) -> Heading | None:
    """The heading that ends at this colon: `rest` of the line is not taken yet, and `behind` is the last colon."""
    at = max(behind, colon - _LONGEST)
    phrase = line.string[at:colon].rstrip(_MARKS)
    if phrase.endswith(")"):  # "COMPARISON(S)", "IMPRESSION (PRELIMINARY)"
        phrase = phrase[: max(phrase.rfind("("), 0)].rstrip(_MARKS)
    run = _NOT_IN_A_HEADING.split(phrase)[-1]
    at += len(phrase) - len(run)
    for word in [*_WORD.finditer(run)][-_MOST_WORDS:]:
        if name := _name(run[word.start() :]):
            start = at + word.start()
            end = colon + 1
            while line.string.startswith("*", end):
                end += 1
            before = line.string[max(rest, start - _LONGEST) : start]
            if rest == line.start() and _LEAD.fullmatch(before):
                return Heading(name, rest, end, begins_line=True)
            if not _may_begin(before, word[0], small=name in _SMALL and line[0].islower()):
                return None
            marks = len(before) - len(before.rstrip("*_#"))
            return Heading(name, start - marks, end, begins_line=False)
    return None


def _may_begin(before: str, word: str, *, small: bool) -> bool:
    """Whether a heading may begin with this word behind what is `before` it in the line; `small`: in small letters."""
    said = before.rstrip(_MARKS).split()[-1:]
    capital = small or word[0].isupper()
    return not said or said[0].endswith(_ENDS_A_SENTENCE) or (capital and not _LEADS_UP.fullmatch(said[0]))


def _name(phrase: str) -> SectionName | None:
    """Of a heading that names several sections ("FINDINGS AND IMPRESSION") the first that is read, else the first."""
    parts = _AND.split(" ".join(phrase.lower().replace("’", "'").split()))
    found = [match.lastgroup for part in parts if (match := _NAMED.fullmatch(part))]
    if len(found) < len(parts):
        return None
    names = cast("list[SectionName]", found)
    return next((name for name in names if name not in CONTEXT), names[0])
