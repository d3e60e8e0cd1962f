"""Find mentions of the observations in a sentence; `terms` holds the table of what counts as one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from shared.labels import LabelName

Convention = Literal["clinical", "reference"]


class Kind(Enum):
    FINDING = auto()  # present unless a cue says otherwise
    SIGN = auto()  # a soft sign: uncertain unless denied (vascular congestion)
    ANATOMY = auto()  # says nothing by itself: "heart size" needs its "normal" or "enlarged"
    REMOVED = auto()  # a device that is out: "extubated"
    WEAK_ANATOMY = auto()  # as ANATOMY, and no mention at all where nothing is said of its size


@dataclass(frozen=True, slots=True)
class Term:
    """`label` None: an abnormality outside the 14, which only turns No Finding off. `convention` None: in both."""

    label: LabelName | None
    kind: Kind
    pattern: re.Pattern[str]
    convention: Convention | None = None


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A spot of `label` that overlaps `pattern` is no mention of it."""

    label: LabelName | None
    pattern: re.Pattern[str]
    convention: Convention | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A term found in a sentence, offsets relative to the sentence."""

    term: Term
    start: int
    end: int

    def overlaps(self, start: int, end: int) -> bool:
        return self.start < end and start < self.end


class Lexicon:
    def __init__(self, terms: tuple[Term, ...], look_alikes: tuple[LookAlike, ...], convention: Convention) -> None:
        self._terms = [term for term in terms if term.convention in (None, convention)]
        self._look_alikes = [other for other in look_alikes if other.convention in (None, convention)]

    def find(self, sentence: str) -> list[Spot]:
        """Mentions in order of appearance; of overlapping mentions of one label the first and longest stays."""
        kept: list[Spot] = []
        for spot in sorted(self._matches(sentence), key=lambda spot: (spot.start, -spot.end)):
            if not any(spot.term.label == other.term.label and spot.overlaps(other.start, other.end) for other in kept):
                kept.append(spot)
        return kept

    def _matches(self, sentence: str) -> Iterator[Spot]:
        spots = [Spot(term, *match.span()) for term in self._terms for match in term.pattern.finditer(sentence)]
        if not spots:
            return
        banned = [(like.label, m.span()) for like in self._look_alikes for m in like.pattern.finditer(sentence)]
        for spot in spots:
            if not any(label == spot.term.label and spot.overlaps(*span) for label, span in banned):
                yield spot
