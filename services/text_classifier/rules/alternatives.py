"""Alternatives: "A or B", "A/B", "A versus B" leave both in doubt."""

import re
from collections.abc import Iterator

from services.text_classifier.rules.cue import Cue, CueSpot
from services.text_classifier.rules.lexicon import Kind, Spot
from services.text_classifier.rules.scopes import Sentence
from shared.labels import SUPPORT_DEVICES, State

_OR = re.compile(
    r"\s*,?\s*(?:(?:[\w-]+\s+){0,3}(?:and|&)\s?/\s?or|(?:[\w-]+\s+){0,3}or|/|(?:[\w-]+\s+){0,4}(?:versus|vs?\.?))"
    r"(?:\s+|(?<=/))(?:[\w'-]+\s+){0,5}",
    re.IGNORECASE,
)
# What "opacity, atelectasis or pneumonia" begins with: no list, but a finding and what it may be.
_GENERIC = re.compile(r"opaci|densit|air\s?-?\s?space|nodul|mass|consolidat|infiltrat", re.IGNORECASE)


def doubt_alternatives(sentence: Sentence) -> None:
    """E.g. "A or B", "A/B", "A versus B" outside a denial: both are uncertain, and what is listed before them."""
    for left, right, cue in _alternatives(sentence):
        if left in sentence.verdicts and sentence.verdicts[left][0] is State.ABSENT:
            continue
        oxford = cue.text.startswith(",")
        for index in (*_listed_with(sentence, left, oxford=oxford), *_overlapping(sentence, right)):
            sentence.verdicts.setdefault(index, (State.UNCERTAIN, cue))


def _alternatives(sentence: Sentence) -> Iterator[tuple[int, int, CueSpot]]:
    """Pairs of findings with an "or" between them, last pair first, so that a list is walked from its end."""
    spots = sentence.spots
    findings = [i for i, spot in enumerate(spots) if _is_finding(spot)]
    for right in reversed(findings):
        left = max((i for i in findings if spots[i].end <= spots[right].start), default=None)
        if left is None or _about_change(sentence, spots[left]):
            continue
        match = _OR.fullmatch(sentence.text, spots[left].end, spots[right].start)
        if match and match[0].strip() == "/" and spots[left].term.label == spots[right].term.label:
            continue  # "infection/pneumonia" are two words for one thing
        if match and not any(match.start() <= cut < match.end() for cut in sentence.cuts):
            yield left, right, CueSpot(Cue.DOUBT_AHEAD, match.start(), match.end(), match[0].strip())


def _about_change(sentence: Sentence, spot: Spot) -> bool:
    """E.g. "no change in A or B": both are there."""
    return any(
        cue.cue is Cue.NEUTRAL
        and cue.end <= spot.start
        and not any(cue.end <= cut < spot.start for cut in sentence.cuts)
        and not any(cue.end <= other.start < spot.start for other in sentence.cues)
        for cue in sentence.cues
    )


def _overlapping(sentence: Sentence, index: int) -> list[int]:
    here = sentence.spots[index]
    return [i for i, spot in enumerate(sentence.spots) if spot.start < here.end and spot.end > here.start]


def _listed_with(sentence: Sentence, last: int, *, oxford: bool) -> list[int]:
    """`last` and the findings before it that share its words or its list ("A, B or C": B leads to A).

    "Opacity, atelectasis or pneumonia" is no list but an opacity and what it may be, unless a comma before the "or"
    (`oxford`) says otherwise.
    """
    listed = [last]
    for i in range(last - 1, -1, -1):
        spot, following = sentence.spots[i], sentence.spots[listed[-1]]
        same_words = spot.end > following.start
        in_list = (
            _is_finding(spot)
            and spot.term.label != "Cardiomegaly"
            and re.fullmatch(r"\s*,\s*(?!and\b)(?:[\w-]+\s+){0,2}", sentence.text[spot.end : following.start])
        )
        cue_between = any(spot.end <= cue.start < following.start for cue in sentence.cues)
        apposition = _GENERIC.match(sentence.text, spot.start) and not oxford
        if not same_words and (cue_between or apposition or not in_list):
            break
        listed.append(i)
    return listed


def _is_finding(spot: Spot) -> bool:
    return spot.term.kind in (Kind.FINDING, Kind.SIGN) and spot.term.label != SUPPORT_DEVICES
