"""Rule-based labels: mentions, denials and doubts, and their sum, for the 14 observations of a chest X-ray report.

Two conventions: `clinical` is what a careful reader would say (the default), `reference` follows the published
CheXpert labeler where the two differ (mild cardiomegaly, for one, is uncertain there).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from services.text_classifier.rules.alternatives import doubt_alternatives
from services.text_classifier.rules.anatomy import assess
from services.text_classifier.rules.context import is_history, states_normality, without_context
from services.text_classifier.rules.cue import Cue, CueSpot
from services.text_classifier.rules.lexicon import Convention, Kind, Spot
from services.text_classifier.rules.patterns import lower_case
from services.text_classifier.rules.scopes import Sentence, apply_cues
from services.text_classifier.rules.sentences import sentence_spans
from services.text_classifier.rules.spelling import canonical
from services.text_classifier.rules.terms import lexicon
from shared.labels import LABELS, NO_FINDING, SUPPORT_DEVICES, LabelName, State

_HEART_FAILURE = re.compile(r"failure|\bc?hf\b", re.IGNORECASE)
_MILD = re.compile(r"\b(?:mild(?:ly)?|slight(?:ly)?|minimal)\s+(?:[\w-]+\s+){0,2}$", re.IGNORECASE)
_NORMAL_SIGN = re.compile(
    r"\s+(?:is|are|appears?|remains?)\s+(?:\w+\s+)?(?:within|normal|unremarkable)\b", re.IGNORECASE
)
_NO_NEW = re.compile(r"no\b.*\bnew\b", re.IGNORECASE)
# A sentence that speaks of the mention before it: "There was a pneumothorax. It has resolved."
_IT_IS_GONE = re.compile(
    r"\s*(?:this|these|it|they|that)\s+(?:(?:has|have|is|are|now|since|completely|fully)\s+)+(?:resolved|cleared|gone|disappeared)\b",
    re.IGNORECASE,
)
_WEIGHT = {State.PRESENT: 3, State.UNCERTAIN: 2, State.ABSENT: 1, State.NOT_MENTIONED: 0}


@dataclass(frozen=True, slots=True)
class Mention:
    """One mention with its offsets in the text. `label` None: an abnormality outside the 14 (emphysema, granuloma)."""

    label: LabelName | None
    start: int
    end: int
    state: State
    cue: str | None


def label_report(text: str, convention: Convention = "clinical") -> dict[LabelName, State]:
    """States of all 14 labels, in the order of LABELS."""
    mentions = read_report(text, convention)
    states = dict.fromkeys(LABELS, State.NOT_MENTIONED)
    for mention in mentions:
        for label, state in _implications(mention, text, convention):
            states[label] = max(states[label], state, key=_WEIGHT.__getitem__)
    if not _anything_found(mentions) and _anything_said(text, mentions, convention):
        states[NO_FINDING] = State.PRESENT
    return states


def find_mentions(text: str, convention: Convention = "clinical") -> list[Mention]:
    """Mentions of the 14 labels in order of appearance; No Finding has none."""
    return [mention for mention in read_report(text, convention) if mention.label is not None]


def read_report(text: str, convention: Convention = "clinical") -> list[Mention]:
    """Every mention, those of abnormalities outside the 14 included."""
    right = canonical(text)
    said = without_context(right.text) if convention == "clinical" else right.text
    mentions: list[Mention] = []
    for first, last in sentence_spans(said):
        found = _read_sentence(said[first:last], convention)
        if not found and mentions and convention == "clinical" and _IT_IS_GONE.match(said, first, last):
            mentions[-1] = replace(mentions[-1], state=State.ABSENT)
        for mention in found:
            start, end = right.span(first + mention.start, first + mention.end)
            mentions.append(replace(mention, start=start, end=end))
    return mentions


@lru_cache(maxsize=65_536)
def _read_sentence(text: str, convention: Convention) -> tuple[Mention, ...]:
    """Mentions with offsets in the sentence. Cached: reports repeat their sentences ("No pleural effusion.")."""
    lowered = lower_case(text)
    spots = lexicon(convention).find(lowered)
    if not spots:
        return ()
    sentence = Sentence(lowered, spots, convention)
    apply_cues(sentence)
    doubt_alternatives(sentence)
    mentions = []
    for index, spot in enumerate(spots):
        if convention == "clinical" and is_history(lowered, spot.start):
            continue
        if (judged := _judge(sentence, index, convention)) is not None:
            state, cue = judged
            as_typed = text[cue.start : cue.end].strip() if cue else None
            mentions.append(Mention(spot.term.label, spot.start, spot.end, state, as_typed))
    return tuple(mentions)


def _judge(sentence: Sentence, index: int, convention: Convention) -> tuple[State, CueSpot | None] | None:
    """State and cue of one mention; None where it turns out to be none."""
    spot = sentence.spots[index]
    verdict = sentence.verdicts.get(index)
    if spot.term.kind in (Kind.ANATOMY, Kind.WEAK_ANATOMY):
        state = assess(sentence.text, index, sentence.spots, sentence.cues)
        if state is not None:
            return state, None
        if convention == "clinical" or spot.term.kind is Kind.WEAK_ANATOMY:
            return None
    if spot.term.kind is Kind.REMOVED:
        return State.ABSENT, None
    if verdict is not None and not (convention == "reference" and _is_compound_of_removed(sentence, index)):
        return verdict
    if spot.term.kind is Kind.SIGN and (normal := _NORMAL_SIGN.match(sentence.text, spot.end)):
        return State.ABSENT, CueSpot(Cue.DENY_BEHIND, *normal.span(), normal[0].strip())
    return (State.PRESENT if _stands_alone(sentence.text, spot, convention) else State.UNCERTAIN), None


def _is_compound_of_removed(sentence: Sentence, index: int) -> bool:
    """In the reference "removal of the PICC line" takes away the line, its head noun, and leaves the PICC."""
    spot = sentence.spots[index]
    gone = sentence.verdicts[index][1].cue in (Cue.GONE_AHEAD, Cue.GONE_BEHIND)
    return gone and any(sentence.text[spot.end : other.start].isspace() for other in sentence.spots[index + 1 :])


def _stands_alone(text: str, spot: Spot, convention: Convention) -> bool:
    """Whether a mention that no cue reaches counts as present."""
    if spot.term.kind is Kind.SIGN:
        return False
    return not (convention == "reference" and _is_mild_cardiomegaly(text, spot))


def _is_mild_cardiomegaly(text: str, spot: Spot) -> bool:
    return spot.term.label == "Cardiomegaly" and bool(_MILD.search(text, max(0, spot.start - 40), spot.start))


def _implications(mention: Mention, text: str, convention: Convention) -> list[tuple[LabelName, State]]:
    """Heart failure is Edema and puts the heart's size in doubt; in the reference doubted heart failure does so too."""
    if mention.label is None:
        return []
    implied: list[tuple[LabelName, State]] = [(mention.label, mention.state)]
    stated = mention.state is State.PRESENT or (convention == "reference" and mention.state is State.UNCERTAIN)
    if stated and _HEART_FAILURE.search(canonical(text[mention.start : mention.end]).text):
        implied.append(("Cardiomegaly", State.UNCERTAIN))
    return implied


def _anything_said(text: str, mentions: Sequence[Mention], convention: Convention) -> bool:
    """A text that denies nothing and calls nothing normal ("Stable.", "See above.") is no No Finding.

    "No new consolidation" leaves open what was there before, also beside a device.
    """
    if convention == "reference":
        return bool(text.strip())
    said = [mention for mention in mentions if not (mention.cue and _NO_NEW.match(mention.cue))]
    if len(said) < len(mentions):
        said = [mention for mention in said if mention.label != SUPPORT_DEVICES]
    return bool(said) or states_normality(lower_case(without_context(canonical(text).text)))


def _anything_found(mentions: Iterable[Mention]) -> bool:
    return any(m.label != SUPPORT_DEVICES and m.state in (State.PRESENT, State.UNCERTAIN) for m in mentions)
