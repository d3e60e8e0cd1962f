"""Which words carry a label: found by hiding them from the model, and by showing it them alone.

For each label that a text states, the sentences on which the label's attention lies are proposed. A sentence carries
the label if the model gives it the same state alone, or doubts the state without it. Within such a sentence, the
phrases without which the state is lost are the evidence. All trials of a stage share the model's runs.

A text has only so many tokens for its trials (`Reading.search`), and the likeliest sentence of each label goes first.
Sentences for which none are left carry nothing; those whose phrases cannot be tried any more are evidence as a whole.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, zip_longest

import numpy as np
from numpy.typing import NDArray

from services.text_classifier.reading.reading import Reading, Verdict
from services.text_classifier.reading.scorer import NOT_MENTIONED, Floats, Score, Scorer
from services.text_classifier.reading.sentences import Span, phrase_spans
from shared.labels import LABELS, NO_FINDING

MAX_PROPOSALS = 3
MAX_PHRASES = 16
LOSS = 0.25
"""The probability that a state must lose without a piece of text for that piece to carry it."""

_NO_FINDING = LABELS.index(NO_FINDING)
_NOTHING: Span = (0, 0)
_CORE = re.compile(r"(?:(?:and|or|but|with)\s+)?(.*?\w)\W*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class _Trial:
    """Token spans: the model is shown `shown` without `hidden`."""

    shown: Span
    hidden: Span = _NOTHING

    @property
    def tokens(self) -> int:
        """With the two special tokens."""
        return 2 + self.shown[1] - self.shown[0] - (self.hidden[1] - self.hidden[0])


@dataclass(frozen=True)
class _Claim:
    """That `sentence` (a token span) of the text carries the `state` of a `label` (positions); `window` holds it."""

    label: int
    state: int
    sentence: Span
    window: Span


class EvidenceFinder:
    """`frame` adds the special tokens; `decide` turns probabilities (14, 4) into states (14,)."""

    def __init__(
        self,
        scorer: Scorer,
        frame: Callable[[NDArray[np.int64]], NDArray[np.int64]],
        decide: Callable[[Floats], NDArray[np.int64]],
    ) -> None:
        self._scorer = scorer
        self._frame = frame
        self._decide = decide

    def find(self, reading: Reading, verdict: Verdict, *, crowded: bool = False) -> dict[int, list[Span]]:
        """Character spans for each stated label, by its position in `LABELS`; a label without evidence is left out."""
        proposals = (_proposals(reading, verdict, label) for label in range(len(LABELS)))
        claims = [claim for rank in zip_longest(*proposals) for claim in rank if claim is not None]
        trials = _affordable({c: (_Trial(c.sentence), _Trial(c.window, c.sentence)) for c in claims}, reading.search)
        scores = self._try(reading, chain(*trials.values()), crowded=crowded)
        carried = [claim for claim in trials if self._carries(claim, verdict, scores)]
        phrases = {claim: _phrases(reading, claim) for claim in carried}
        trials = _affordable(
            {c: [_Trial(c.sentence, phrase) for phrase in phrases[c]] for c in carried},
            reading.search - sum(trial.tokens for trial in scores),
        )
        scores |= self._try(reading, chain(*trials.values()), crowded=crowded)
        found: dict[int, list[Span]] = {}
        for claim in carried:
            needed = _needed(claim, phrases[claim], scores) if claim in trials else []
            spans = needed or [claim.sentence]
            found.setdefault(claim.label, []).extend(_highlight(reading, span) for span in spans)
        return {label: sorted(set(spans)) for label, spans in found.items()}

    def _carries(self, claim: _Claim, verdict: Verdict, scores: dict[_Trial, Score]) -> bool:
        alone = scores[_Trial(claim.sentence)].posterior
        without = scores[_Trial(claim.window, claim.sentence)].posterior
        loss = verdict.posterior[claim.label, claim.state] - without[claim.label, claim.state]
        return bool(self._decide(alone)[claim.label] == claim.state or loss >= LOSS)

    def _try(self, reading: Reading, trials: Iterable[_Trial], *, crowded: bool) -> dict[_Trial, Score]:
        distinct = list(dict.fromkeys(trials))
        ids = reading.tokens.ids
        sequences = []
        for trial in distinct:
            (start, end), (hidden_start, hidden_end) = trial.shown, trial.hidden
            kept = (
                ids[start:end]
                if trial.hidden == _NOTHING
                else np.concatenate((ids[start:hidden_start], ids[hidden_end:end]))
            )
            sequences.append(self._frame(kept))
        return dict(zip(distinct, self._scorer.score(sequences, crowded=crowded), strict=True))


def _affordable(wishes: Mapping[_Claim, Sequence[_Trial]], tokens: int) -> dict[_Claim, Sequence[_Trial]]:
    """The claims, in order, of which all trials can be had for so many `tokens`. A trial that several want is one."""
    granted: dict[_Claim, Sequence[_Trial]] = {}
    paid: set[_Trial] = set()
    for claim, trials in wishes.items():
        new = set(trials) - paid
        cost = sum(trial.tokens for trial in new)
        if cost <= tokens:
            tokens -= cost
            paid |= new
            granted[claim] = trials
    return granted


def _proposals(reading: Reading, verdict: Verdict, label: int) -> list[_Claim]:
    """The sentences that the label's attention favours; every sentence, where the model has no attention to show."""
    state = int(verdict.states[label])
    if state == NOT_MENTIONED:
        return []
    window = reading.windows[verdict.speaker[label]]
    attention = verdict.scores[verdict.speaker[label]].attention
    sentences: Sequence[Span] = window.sentences
    if attention is not None:
        # Token i of the window is at i + 1 in the sequence, behind [CLS].
        share = {s: attention[label, s[0] - window.start + 1 : s[1] - window.start + 1].sum() for s in sentences}
        sentences = sorted(sentences, key=share.__getitem__, reverse=True)[:MAX_PROPOSALS]
    return [_Claim(label, state, sentence, (window.start, window.end)) for sentence in sentences]


def _phrases(reading: Reading, claim: _Claim) -> list[Span]:
    """The sentence's phrases as token spans; none where it has only one, or speaks of the lungs as a whole."""
    if claim.label == _NO_FINDING:
        return []
    starts = reading.tokens.starts
    spans = phrase_spans(reading.text, _characters(reading, claim.sentence))
    cuts = [claim.sentence[0], *(int(np.searchsorted(starts, start)) for start, _ in spans[1:]), claim.sentence[1]]
    phrases = [(start, end) for start, end in pairwise(cuts) if end > start]
    return phrases if 1 < len(phrases) <= MAX_PHRASES else []


def _needed(claim: _Claim, phrases: Sequence[Span], scores: dict[_Trial, Score]) -> list[Span]:
    """The phrases without which the sentence loses the state, those side by side joined."""
    alone = scores[_Trial(claim.sentence)].posterior[claim.label, claim.state]
    joined: list[Span] = []
    for phrase in phrases:
        left = scores[_Trial(claim.sentence, phrase)].posterior[claim.label, claim.state]
        if alone - left < LOSS:
            continue
        if joined and joined[-1][1] == phrase[0]:
            joined[-1] = (joined[-1][0], phrase[1])
        else:
            joined.append(phrase)
    return joined


def _highlight(reading: Reading, span: Span) -> Span:
    """The span without the connecting word before it and the punctuation behind it."""
    start, end = _characters(reading, span)
    match = _CORE.fullmatch(reading.text, start, end)
    return match.span(1) if match else (start, end)


def _characters(reading: Reading, span: Span) -> Span:
    return int(reading.tokens.starts[span[0]]), int(reading.tokens.ends[span[1] - 1])
