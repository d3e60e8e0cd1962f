"""What a report says of the heart's size and of the mediastinum: "heart size is normal", "stable silhouette"."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

import re
from enum import IntEnum

from services.text_classifier.rules.cue import Cue, CueSpot
from services.text_classifier.rules.cuts import CUT
from services.text_classifier.rules.lexicon import Kind, Spot
from shared.labels import State


class Assessment(IntEnum):
    """Ordered by how much it says: a silhouette both stable and enlarged is enlarged."""

    STABLE = 1
    DOUBTFUL = 2
    NORMAL = 3
    ABNORMAL = 4


_STATES = {
    Assessment.STABLE: State.UNCERTAIN,
    Assessment.DOUBTFUL: State.UNCERTAIN,
    Assessment.NORMAL: State.ABSENT,
    Assessment.ABNORMAL: State.PRESENT,
}

_ENLARGED = r"(?:enlarg\w+|widen\w+|prominen\w+|increased?|dilat\w+|abnormal\w*)"
_ASSESSMENTS = tuple(
    (assessment, re.compile(pattern, re.IGNORECASE | re.VERBOSE))
    for assessment, pattern in (
        (Assessment.ABNORMAL, r"\bnot\s+(?:an?\s+|of\s+)?normal\b"),
        (Assessment.NORMAL, r"\bnot\s+increased\b(?!\s+(?:since|from|compared|in\b))"),
        (
            Assessment.DOUBTFUL,
            rf"\bnormal\s+(?:in\s+size\s+)?(?:to|or)\s+(?:\w+\s+){{0,2}}(?:{_ENLARGED}|borderline) | \bborderline\b(?:\s+\w*\s*(?:{_ENLARGED}|normal))?",
        ),
        (
            Assessment.STABLE,
            r"\b(?:no|not|without)\s+(?:(?:an?|evidence\s+of|other|significant(?:ly)?|interval|appreciabl[ey]|substantial(?:ly)?|definite|much|short\s+term)\s+)*(?:interval\s+)?(?:change[ds]?|increased?|increase|decreased?|difference)",
        ),
        (
            Assessment.NORMAL,
            rf"\b(?:not|isn't|aren't|no|without|nor)\s+(?:(?:significantly|definitely|grossly|overtly|clearly|abnormally|evidence\s+of|significant|definite|acute|focal|frank|overt|interval|pathologic\w*)\s+)*(?:{_ENLARGED}|big|large|wide) | \bnon-?enlarged\b",
        ),
        (
            Assessment.DOUBTFUL,
            r"\b(?:accentuated|magnified|exaggerated|obscured|indistinct|limited|difficult|suboptimal\w*|(?:not|poorly|incompletely)\s+(?:well\s+|clearly\s+|fully\s+)?(?:seen|evaluated|visuali[sz]ed|assessed|defined))\b",
        ),
        (
            Assessment.NORMAL,
            r"""\b(?:upper|high|top)[\s-]+(?:limits?\s+(?:of\s+)?|range\s+of\s+|of\s+)?normal\b | \bupper\s+limits?\b | \bnormal\b | \bunremarkable\b | \bw?nl\b | \bnegative\b | \bmidline\b | \bsmall\b | \bwithin\s+(?:the\s+)?limits\b | \bintact\b | \bclear\b""",
        ),
        (
            Assessment.ABNORMAL,
            rf"\b{_ENLARGED} | \b(?:mildly\s+|moderately\s+)?(?:large|big|wide|globular|exceeds?)\b | \bcardiomegaly\b",
        ),
        (Assessment.STABLE, r"\b(?:stable|unchanged|similar|constant|grossly\s+stable|same|decreas\w+|improv\w+)\b"),
    )
)
_JOINED = re.compile(r"\s*|\s*(?:,|and|or|&|/)\s*(?:and\s+)?(?:the\s+)?(?:[\w-]+\s+){0,3}", re.IGNORECASE)
# "Normal and stable contours", "normal size and configuration of the silhouette": the "and" joins, it parts nothing.
_NO_LIST = re.compile(r"(?:\s+(?!(?:or|and|nor|of|in|with)\b)[\w-]+){0,3}\s+", re.IGNORECASE)
_ONE_PHRASE = re.compile(
    r"(?:.*\b(?:show|demonstrate)s?\b)?\s*(?:(?:normal|stable|unchanged|unremarkable|enlarged|and|grossly|mildly|moderately|the|size|shape|configuration"
    r"|contours?|appearance|position|in|of|a|an|there|is)\s+)+",
    re.IGNORECASE,
)
_LEFT_STOP = re.compile(r".*(?:[,;:.]|\b(?:and|with|but|is|are|or|overlying|show\w*)\b)", re.IGNORECASE | re.DOTALL)
_RIGHT_STOP = re.compile(
    r"""; | \.\s | \b(?:but|however|although|with|there\s+(?:is|are)|which|likely)\b
    # a comma, unless an assessment follows it at once, or it parts a list: "contours, lungs and pleura are normal"
    | ,(?!\s*(?:\w+\s+){0,2}(?:normal|stable|unchanged|enlarged|unremarkable|within|not|borderline|similar|and\b))
       (?![^.;:]*?\band\b[^,.;:]*?\b(?:are|appear|remain)\b)""",
    re.IGNORECASE | re.VERBOSE,
)


def assess(sentence: str, index: int, spots: list[Spot], cues: list[CueSpot]) -> State | None:
    """State of the anatomy mention `spots[index]`, or None where the sentence says nothing of its size."""
    spot = spots[index]
    left, right = _left(sentence, index, spots), _right(sentence, index, spots)
    if left is None and right is None:
        return _inherited(sentence, index, spots, cues)
    assessment, position = max((found for found in (left, right) if found), key=lambda found: found[0])
    if left and left[0] > Assessment.STABLE:
        assessment, position = left
    if assessment is Assessment.ABNORMAL:
        if _cued(sentence, cues, Cue.DENY_AHEAD, spot.start, position) and not _runs_on(sentence, index, spots):
            return State.ABSENT
        if _cued(sentence, cues, Cue.DOUBT_AHEAD, spot.start, position):
            return State.UNCERTAIN
    return _STATES[assessment]


def _cued(sentence: str, cues: list[CueSpot], cue: Cue, start: int, position: int) -> bool:
    """Whether such a cue stands close before the mention or its assessment, with nothing that ends its reach between."""
    return any(
        c.cue is cue and any(0 <= p - c.end <= 25 and not _is_cut(sentence, c.end, p) for p in (start, position))
        for c in cues
    )


def _is_cut(sentence: str, start: int, end: int) -> bool:
    """A cut may look beyond `end`: ", heart is" begins at the comma."""
    cut = CUT.search(sentence, start)
    return cut is not None and cut.start() < end


def _runs_on(sentence: str, index: int, spots: list[Spot]) -> bool:
    """E.g. "no fracture enlarged heart": dictation lost the full stop behind the finding that was denied."""
    finding = next((s for s in reversed(spots[:index]) if s.term.kind is Kind.FINDING), None)
    return finding is not None and _NO_LIST.fullmatch(sentence, finding.end, spots[index].start) is not None


def _inherited(sentence: str, index: int, spots: list[Spot], cues: list[CueSpot]) -> State | None:
    """E.g. "Normal heart size and mediastinal contours": the second takes the word of the first."""
    if index == 0 or spots[index - 1].term.kind not in (Kind.ANATOMY, Kind.WEAK_ANATOMY):
        return None
    previous = spots[index - 1]
    if spots[index].start > previous.end and not _JOINED.fullmatch(sentence, previous.end, spots[index].start):
        return None
    return assess(sentence, index - 1, spots, cues)


def _left(sentence: str, index: int, spots: list[Spot]) -> tuple[Assessment, int] | None:
    """The weightiest word among the adjectives directly before the mention."""
    spot = spots[index]
    begin = max(
        [0, spot.start - 60, *(s.end for s in spots[:index] if s.end <= spot.start and s.term.label is not None)]
    )
    one_phrase = _ONE_PHRASE.fullmatch(sentence, begin, spot.start)
    stop = None if one_phrase else _LEFT_STOP.match(sentence, begin, spot.start)
    found = _assessments(sentence, stop.end() if stop else begin, spot.start)
    return max(found, default=None, key=lambda item: item[0])


def _right(sentence: str, index: int, spots: list[Spot]) -> tuple[Assessment, int] | None:
    """The first word behind the mention; mentions joined by "and" are passed over: they share the word."""
    spot = spots[index]
    end, last = len(sentence), spot.end
    for other in spots[index + 1 :]:
        if other.start < last or other.term.label is None:
            continue
        if not _JOINED.fullmatch(sentence, last, other.start) or _assessments(sentence, last, other.start):
            end = other.start
            break
        last = other.end
    stop = _RIGHT_STOP.search(sentence, last, end)
    found = sorted(_assessments(sentence, spot.end, stop.start() if stop else end), key=lambda item: item[1])
    if not found:
        return None
    if found[0][0] is Assessment.STABLE and len(found) > 1 and found[1][1] - found[0][1] <= 34:
        return found[1]
    return found[0]


def _assessments(sentence: str, start: int, end: int) -> list[tuple[Assessment, int]]:
    """Assessments in the order of the table above, so that "not enlarged" hides the "enlarged" inside it."""
    found: list[tuple[Assessment, int]] = []
    taken: list[tuple[int, int]] = []
    for assessment, pattern in _ASSESSMENTS:
        for match in pattern.finditer(sentence, start, end):
            if not any(match.start() < e and s < match.end() for s, e in taken):
                taken.append(match.span())
                found.append((assessment, match.start()))
    return found
