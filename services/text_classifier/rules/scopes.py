"""Which mentions a cue reaches: forward to the end of its list, or back to the nearest mention."""

import re
from dataclasses import dataclass, field, replace

from services.text_classifier.rules.cue import Cue, CueSpot
from services.text_classifier.rules.cues import find_cues
from services.text_classifier.rules.cuts import CUT
from services.text_classifier.rules.devices import begins_a_statement, only_its_tip, only_spoken_of
from services.text_classifier.rules.lexicon import Convention, Spot
from services.text_classifier.rules.sides import found_elsewhere, on_another_side, only_on_one_side
from shared.labels import SUPPORT_DEVICES, State

_FORWARD = {Cue.DENY_AHEAD, Cue.DOUBT_AHEAD, Cue.GONE_AHEAD}
_BACKWARD = {Cue.DENY_BEHIND, Cue.DOUBT_BEHIND, Cue.GONE_BEHIND}
_AHEAD_OF = {Cue.DENY_BEHIND: Cue.DENY_AHEAD, Cue.DOUBT_BEHIND: Cue.DOUBT_AHEAD, Cue.GONE_BEHIND: Cue.GONE_AHEAD}
_STATE_OF = {
    Cue.DENY_AHEAD: State.ABSENT,
    Cue.DENY_BEHIND: State.ABSENT,
    Cue.GONE_AHEAD: State.ABSENT,
    Cue.GONE_BEHIND: State.ABSENT,
    Cue.DOUBT_AHEAD: State.UNCERTAIN,
    Cue.DOUBT_BEHIND: State.UNCERTAIN,
}
_WORDS = r"(?:[\w'-]+\s+){0,5}"
_AND = re.compile(rf"\s*,?\s*(and|or|/|&)\s*{_WORDS}", re.IGNORECASE)
_SINGULAR = re.compile(r"(?:has|is|was)\b", re.IGNORECASE)
_COMMA = re.compile(rf"\s*,\s*{_WORDS}", re.IGNORECASE)
_BACK_STOP = re.compile(r"[;:]|\b(?:but|however|although|though|while|whereas|there\s+(?:is|are))\b", re.IGNORECASE)
# "... is unchanged" right behind a mention takes it out of a denial that ran into it.
_AFFIRMED = re.compile(
    r"\s+(?:(?:is|are|has|have|appears?|remains?|been|again)\s+)+(?:\w+ly\s+)?(?:stable|unchanged|increas|decreas|improv|persist|worsen|similar|in\s+place|again|present\s+(?:in|at|on))",
    re.IGNORECASE,
)
_UNCHANGED = re.compile(r"\s+(?:unchanged|stable|larger|smaller|improved|increased|decreased|worse)\b", re.IGNORECASE)
_CONCERN = re.compile(r"suspicio|concern|worrisome|question|suggest|favou?r|definite|potential", re.IGNORECASE)
_EXCLUSION = re.compile(r"exclud|rule", re.IGNORECASE)
_SIDED_ITEM = re.compile(r",?\s*(?:and\s+)?(?:the\s+)?(?:right|left|bilateral|small|both)\b", re.IGNORECASE)
_GENERIC_OBJECT = re.compile(
    r"\s*(?:\w+\s+){0,4}(?:disease|process(?:es)?|abnormalit(?:y|ies)|findings?|changes?|pathology)\s*,(?!.*\b(?:or|nor)\b)",
    re.IGNORECASE,
)
# "no effusion left lower lobe atelectasis": a new phrase that the missing full stop hides.
_NEW_PHRASE = re.compile(
    r"\s+(?:(?:there\s+(?:is|are)|small|mild|moderate|minimal|stable|unchanged|persistent|left|right|bilateral|bibasilar|the|heart|patchy|streaky|low|trace|tiny|subtle|new|old|healed|healing|remote|enlarged|degenerative|calcified|multiple|several)\b).*",
    re.IGNORECASE | re.DOTALL,
)
_LIST_GOES_ON = re.compile(r"(?:(?!\bno\b)[^.;])*\b(?:or|nor|and)\b", re.IGNORECASE)
_NO_AGAIN = re.compile(r"\bno\b[^.;]*[,\s]\s*(?:and\s+)?$", re.IGNORECASE)
_IS_SOMETHING_ELSE = re.compile(r"\b(?:is|are|was|were|represents?|reflects?|due\s+to)\b", re.IGNORECASE)


@dataclass(slots=True)
class Sentence:
    """One sentence with its mentions and cues; `verdicts[i]` is (state, cue) of `spots[i]` once a cue reached it."""

    text: str
    spots: list[Spot]
    convention: Convention
    cues: list[CueSpot] = field(init=False)
    cuts: list[int] = field(init=False)
    verdicts: dict[int, tuple[State, CueSpot]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cues = find_cues(self.text, self.convention)
        self.cuts = [
            m.start()
            for m in CUT.finditer(self.text)
            if not any((c.start <= m.start() and m.end() <= c.end) or c.start < m.start() < c.end for c in self.cues)
        ]


def apply_cues(sentence: Sentence) -> None:
    """Fill `sentence.verdicts`: first by cues that point back, then by cues that point forward."""
    pointing_ahead = [cue for cue in sentence.cues if cue.cue in _FORWARD]
    for cue in sentence.cues:
        if cue.cue in _BACKWARD and not _look_back(sentence, cue):
            pointing_ahead.append(replace(cue, cue=_AHEAD_OF[cue.cue]))
        elif cue.cue is Cue.DOUBT_AHEAD and _EXCLUSION.search(cue.text) and _last_word(sentence, cue):
            _look_back(sentence, replace(cue, cue=Cue.DOUBT_BEHIND))  # "pneumonia is difficult to exclude"
        elif cue.cue is Cue.DOUBT_AHEAD and cue.text.lower().startswith(("versus", "vs")):
            _look_back(sentence, replace(cue, cue=Cue.DOUBT_BEHIND))
    for cue in sorted(pointing_ahead, key=lambda c: c.start):
        _look_ahead(sentence, cue)


def _last_word(sentence: Sentence, cue: CueSpot) -> bool:
    return not any(spot.start >= cue.end for spot in sentence.spots) or bool(
        re.match(r"\s*(?:[.,;]|$)", sentence.text[cue.end :])
    )


def _look_back(sentence: Sentence, cue: CueSpot) -> bool:
    """Reach the nearest mention before the cue and those listed with it. False where there is none to reach."""
    before = [i for i, spot in enumerate(sentence.spots) if spot.end <= cue.start and _applies(cue, spot)]
    if not before or cue.start - sentence.spots[before[-1]].end > 110:
        return False
    nearest = before[-1]
    if _BACK_STOP.search(sentence.text, sentence.spots[nearest].end, cue.start):
        return False
    if cue.cue is Cue.DENY_BEHIND and (
        only_on_one_side(sentence.text, cue.end)
        or on_another_side(sentence.text, sentence.spots[nearest].end, cue.start, cue.end)
    ):
        return True
    if cue.cue is Cue.DENY_BEHIND and _kept_afterwards(sentence, cue):
        return True
    if cue.cue is Cue.DENY_BEHIND and only_its_tip(sentence.text, sentence.spots[nearest]):
        return True
    reached = [nearest]
    joins = ""
    for i in reversed(before[:-1]):
        here, there = sentence.spots[i], sentence.spots[reached[-1]]
        between = sentence.text[here.end : there.start]
        if between.strip():  # else the same words, or one compound: "tracheostomy tube"
            joins = _joining_word(between, joins, cue)
            if not joins:
                break
        reached.append(i)
    for i in reached:
        _settle(sentence, i, cue)
    return True


def _joining_word(between: str, joins: str, cue: CueSpot) -> str:
    """The word that lists two mentions, given the one that lists what follows them; empty where they are no list."""
    if match := _AND.fullmatch(between):
        word = match[1].lower()
        if word == "and" and _SINGULAR.match(cue.text):
            return ""  # "effusion and pneumothorax has resolved": only the nearest
        if word == "and" and between.lstrip().startswith(",") and joins != "and":
            return ""  # "consolidation, and edema or infection cannot be excluded"
        return word
    return joins if joins and _COMMA.fullmatch(between) else ""


def _kept_afterwards(sentence: Sentence, cue: CueSpot) -> bool:
    """E.g. "Resolved on the right, persistent on the left"."""
    return any(
        other.cue is Cue.KEEP
        and 0 <= other.start - cue.end < 40
        and not any(cue.end <= spot.start < other.start for spot in sentence.spots)
        and not any(
            other.end <= spot.start < min([other.end + 40, *(cut for cut in sentence.cuts if cut >= other.end)])
            for spot in sentence.spots
        )
        for other in sentence.cues
    )


def _look_ahead(sentence: Sentence, cue: CueSpot) -> None:
    end = _scope_end(sentence, cue)
    inside = [i for i, spot in enumerate(sentence.spots) if cue.end <= spot.start < end]
    if cue.text.lower().startswith("borderline"):
        inside = inside[:1]
    chained = cue.cue is Cue.DENY_AHEAD and _NO_AGAIN.search(sentence.text, 0, cue.start)
    previous: Spot | None = None
    for i in inside:
        spot = sentence.spots[i]
        if previous and previous.end <= spot.start and _NEW_PHRASE.fullmatch(sentence.text, previous.end, spot.end):
            return
        beside = previous and sentence.text[previous.end : spot.start].isspace()
        if beside and (chained or spot.term.label == "Cardiomegaly"):
            return  # "no A no B C", the full stops lost
        if previous is not None and _affirmed(sentence.text, previous, spot):
            return
        if cue.cue is Cue.DENY_AHEAD and begins_a_statement(sentence.text, spot, previous, cue.end):
            return
        if cue.cue is Cue.DENY_AHEAD and _found_elsewhere(sentence, i):
            return
        if _applies(cue, spot) and not (cue.cue is Cue.DENY_AHEAD and only_spoken_of(sentence.text, spot, cue.end)):
            _settle(sentence, i, cue)
        previous = spot


def _affirmed(text: str, previous: Spot, spot: Spot) -> bool:
    """E.g. "... is unchanged"; behind a comma that begins no list also "effusion unchanged"."""
    between = text[previous.end : spot.start]
    in_short = "," in between and not _LIST_GOES_ON.search(between) and _UNCHANGED.match(text, spot.end)
    return bool(in_short or _AFFIRMED.match(text, spot.end))


def _found_elsewhere(sentence: Sentence, index: int) -> bool:
    spot = sentence.spots[index]
    following = min((s.start for s in sentence.spots[index + 1 :] if s.start >= spot.end), default=len(sentence.text))
    return found_elsewhere(sentence.text, spot.end, following)


def _scope_end(sentence: Sentence, cue: CueSpot) -> int:
    end = min(
        (cut for cut in sentence.cuts if cut >= cue.end and not _same_list(sentence, cue, cut)),
        default=len(sentence.text),
    )
    for other in sentence.cues:
        if other.start >= cue.end and other.cue is not Cue.KEEP and not _swallowed(sentence, cue, other):
            end = min(end, other.start) if other.cue not in _BACKWARD else end
    if cue.cue is Cue.DENY_AHEAD and (generic := _GENERIC_OBJECT.match(sentence.text, cue.end, end)):
        end = min(end, generic.end())
    if cue.cue is Cue.DENY_AHEAD and _NO_AGAIN.search(sentence.text, 0, cue.start):
        comma = sentence.text.find(",", cue.end, end)  # "no A, no B, C": each has its own "no", and C has none
        end = comma if comma >= 0 and not _LIST_GOES_ON.match(sentence.text, comma, end) else end
    if cue.text.startswith(("apparent", "what")) and (turn := _IS_SOMETHING_ELSE.search(sentence.text, cue.end, end)):
        end = turn.start()
    return end


def _same_list(sentence: Sentence, cue: CueSpot, cut: int) -> bool:
    """E.g. "removal of the left tube and right catheter": sides and sizes do not part what is taken out."""
    return cue.cue is Cue.GONE_AHEAD and bool(_SIDED_ITEM.match(sentence.text, cut))


def _swallowed(sentence: Sentence, cue: CueSpot, other: CueSpot) -> bool:
    """E.g. "No opacity concerning for pneumonia" denies both; "no effusion, possible pneumonia" does not."""
    if cue.cue is not Cue.DENY_AHEAD or other.cue is not Cue.DOUBT_AHEAD or _EXCLUSION.search(other.text):
        return False
    between = sentence.text[cue.end : other.start]
    if re.search(r",|\band\b", between):
        return False
    return bool(_CONCERN.search(other.text)) or not any(cue.end <= s.start < other.start for s in sentence.spots)


def _applies(cue: CueSpot, spot: Spot) -> bool:
    """Only devices are removed; and a device of which something is not well seen is there all the same."""
    if cue.cue in (Cue.GONE_AHEAD, Cue.GONE_BEHIND):
        return spot.term.label == SUPPORT_DEVICES
    return not (cue.cue is Cue.DOUBT_BEHIND and spot.term.label == SUPPORT_DEVICES)


def _settle(sentence: Sentence, index: int, cue: CueSpot) -> None:
    """The first verdict stays, but a plain denial beats a plain doubt behind it ("no pneumonia is suspected")."""
    state = _STATE_OF[cue.cue]
    earlier = sentence.verdicts.get(index)
    if earlier and not (
        cue.cue is Cue.DENY_AHEAD and earlier[1].cue is Cue.DOUBT_BEHIND and not _EXCLUSION.search(earlier[1].text)
    ):
        return
    sentence.verdicts[index] = (state, cue)
