"""Which words carry a label: found by hiding them from the model, and by showing it them alone.

For each label that a text states, the sentences on which the label's attention lies are proposed. A sentence carries
the label if the model gives it the same state alone, or doubts the state without it. Within such a sentence, the
phrases without which the state is lost are the evidence. Where they do not give an absence or a doubt by themselves
("effusion" of "without edema, effusion"), the nearest phrase comes to them with which they do: it holds the word that
decides. No Finding is carried by what calls something normal. All trials of a stage share the model's runs.

A text has only so many tokens for its trials (`Reading.search`), and the likeliest sentence of each label goes first.
Sentences for which none are left carry nothing; those whose phrases cannot be tried any more are evidence as a whole.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, zip_longest
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.text_classifier.reading.normality import names_device, normality_spans
from services.text_classifier.reading.reading import Reading, Verdict
from services.text_classifier.reading.scorer import ABSENT, NOT_MENTIONED, UNCERTAIN, Floats, Score, Scorer
from services.text_classifier.reading.sentences import Span, phrase_spans
from shared.labels import LABELS, NO_FINDING, SUPPORT_DEVICES

MAX_PROPOSALS = 3
MAX_PHRASES = 16
LOSS = 0.25
"""The probability that a state must lose without a piece of text for that piece to carry it."""

_NO_FINDING = LABELS.index(NO_FINDING)
_SUPPORT_DEVICES = LABELS.index(SUPPORT_DEVICES)
_CORE = re.compile(r"(?:(?:and|or|but|with)\s+)?(.*?\w)\W*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class _Trial:
    """The token spans that the model is shown, one behind the other."""

    shown: tuple[Span, ...]

    @classmethod
    def of(cls, span: Span, *, without: Span | None = None) -> Self:
        if without is None:
            return cls((span,))
        return cls(tuple(part for part in ((span[0], without[0]), (without[1], span[1])) if part[0] < part[1]))

    @property
    def tokens(self) -> int:
        """With the two special tokens."""
        return 2 + sum(end - start for start, end in self.shown)


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
        trials = _Trials(reading.search, partial(self._scores, reading, crowded=crowded))
        tried = trials.run({c: (_Trial.of(c.sentence), _Trial.of(c.window, without=c.sentence)) for c in claims})
        carried = [claim for claim in tried if self._carries(claim, verdict, trials)]
        phrases = {claim: _phrases(reading, claim) for claim in carried}
        tried = trials.run({c: [_Trial.of(c.sentence, without=p) for p in phrases[c]] for c in carried})
        needed = {claim: _needed(claim, phrases[claim], trials) for claim in carried if claim in tried}
        self._complete(reading, needed, phrases, trials)
        found: dict[int, list[Span]] = {}
        for claim in carried:
            spans = [_highlight(reading, span) for span in _joined(needed.get(claim) or [claim.sentence])]
            if claim.label == _NO_FINDING:
                spans = [n for span in spans for n in self._normality(reading, claim, span, trials)]
            found.setdefault(claim.label, []).extend(spans)
        return {label: sorted(set(spans)) for label, spans in found.items() if spans}

    def _carries(self, claim: _Claim, verdict: Verdict, trials: "_Trials") -> bool:
        without = trials[_Trial.of(claim.window, without=claim.sentence)]
        loss = verdict.posterior[claim.label, claim.state] - without[claim.label, claim.state]
        return self._states(claim, _Trial.of(claim.sentence), trials) or bool(loss >= LOSS)

    def _normality(self, reading: Reading, claim: _Claim, span: Span, trials: "_Trials") -> list[Span]:
        """What it calls normal; nothing where the model knows a device in it and no word tells where."""
        device = self._decide(trials[_Trial.of(claim.sentence)])[_SUPPORT_DEVICES] != NOT_MENTIONED
        return [] if device and not names_device(reading.text, span) else normality_spans(reading.text, span)

    def _complete(
        self,
        reading: Reading,
        needed: dict[_Claim, list[Span]],
        phrases: Mapping[_Claim, Sequence[Span]],
        trials: "_Trials",
    ) -> None:
        """Adds to the phrases of an absence or a doubt that do not say it alone the nearest with which they do."""
        some = [c for c, spans in needed.items() if c.state in (ABSENT, UNCERTAIN) and 0 < len(spans) < len(phrases[c])]
        alone = {claim: [_cited(reading, needed[claim])] for claim in some}
        short = [claim for claim in trials.run(alone) if not self._states(claim, alone[claim][0], trials)]
        wider = {
            claim: [sorted([*needed[claim], p]) for p in _nearest(phrases[claim], needed[claim])] for claim in short
        }
        for claim in trials.run({claim: [_Trial(tuple(spans)) for spans in wider[claim]] for claim in short}):
            enough = (spans for spans in wider[claim] if self._states(claim, _Trial(tuple(spans)), trials))
            needed[claim] = next(enough, needed[claim])

    def _states(self, claim: _Claim, trial: _Trial, trials: "_Trials") -> bool:
        return bool(self._decide(trials[trial])[claim.label] == claim.state)

    def _scores(self, reading: Reading, trials: Sequence[_Trial], *, crowded: bool) -> list[Score]:
        ids = reading.tokens.ids
        shown = [np.concatenate([ids[:0], *(ids[start:end] for start, end in trial.shown)]) for trial in trials]
        return self._scorer.score([self._frame(kept) for kept in shown], crowded=crowded)


class _Trials:
    """Trials that are run within so many `tokens`, and the probabilities (14, 4) that they gave."""

    def __init__(self, tokens: int, score: Callable[[Sequence[_Trial]], list[Score]]) -> None:
        self._tokens = tokens
        self._score = score
        self._posteriors: dict[_Trial, Floats] = {}

    def __getitem__(self, trial: _Trial) -> Floats:
        return self._posteriors[trial]

    def run(self, wishes: Mapping[_Claim, Sequence[_Trial]]) -> list[_Claim]:
        """The claims, in order, of which the tokens left allow all trials. A trial that several want is one."""
        granted: list[_Claim] = []
        new: dict[_Trial, None] = {}
        for claim, trials in wishes.items():
            more = {trial: None for trial in trials if trial not in self._posteriors and trial not in new}
            cost = sum(trial.tokens for trial in more)
            if cost <= self._tokens:
                self._tokens -= cost
                new |= more
                granted.append(claim)
        if new:
            scores = self._score([*new])
            self._posteriors |= {trial: score.posterior for trial, score in zip(new, scores, strict=True)}
        return granted


def _proposals(reading: Reading, verdict: Verdict, label: int) -> list[_Claim]:
    """The sentences that the label's attention favours; every sentence, where the model has no attention to show."""
    state = int(verdict.states[label])
    if state == NOT_MENTIONED:
        return []
    window = reading.windows[verdict.speaker[label]]
    attention = verdict.scores[verdict.speaker[label]].attention
    sentences: Sequence[Span] = window.sentences
    if label == _NO_FINDING:
        sentences = [s for s in sentences if normality_spans(reading.text, _characters(reading, s))]
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


def _needed(claim: _Claim, phrases: Sequence[Span], trials: _Trials) -> list[Span]:
    """The phrases without which the sentence loses the state."""
    alone = trials[_Trial.of(claim.sentence)][claim.label, claim.state]
    lost = (alone - trials[_Trial.of(claim.sentence, without=p)][claim.label, claim.state] for p in phrases)
    return [phrase for phrase, loss in zip(phrases, lost, strict=True) if loss >= LOSS]


def _nearest(phrases: Sequence[Span], needed: Sequence[Span]) -> list[Span]:
    """The phrases that are not needed, the nearest to a needed one first, and of two the one before it."""
    places = [phrases.index(phrase) for phrase in needed]
    others = [place for place in range(len(phrases)) if place not in places]
    return [phrases[place] for place in sorted(others, key=lambda i: min(abs(i - place) for place in places))]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Those side by side as one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _cited(reading: Reading, phrases: Sequence[Span]) -> _Trial:
    """What the model is shown of these phrases as they would be cited."""
    spans = [_highlight(reading, span) for span in _joined(phrases)]
    bounds = np.searchsorted(reading.tokens.starts, spans).tolist()
    return _Trial(tuple((start, end) for start, end in bounds))


def _highlight(reading: Reading, span: Span) -> Span:
    """The span without the connecting word before it and the punctuation behind it."""
    start, end = _characters(reading, span)
    match = _CORE.fullmatch(reading.text, start, end)
    return match.span(1) if match else (start, end)


def _characters(reading: Reading, span: Span) -> Span:
    return int(reading.tokens.starts[span[0]]), int(reading.tokens.ends[span[1] - 1])
