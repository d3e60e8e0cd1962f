"""Impressions in, the state of each of the 14 labels out.

A text longer than the model's window is read window by window and merged as mentions are merged in a report: the
window in which a label is most present speaks for it (present before uncertain before absent). No Finding is a
statement about the whole text, so there the window that denies it most speaks.

Of a text with headings only the sections are read that say what is seen, each in windows of its own. What the
impression states of a label goes before what the other sections do.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.inference.session import Session, open_session
from services.text_classifier.reading.evidence import EvidenceFinder
from services.text_classifier.reading.language import foreign_language, load_languages
from services.text_classifier.reading.model_folder import ModelFolder, read_model_folder
from services.text_classifier.reading.reading import Reading, Verdict
from services.text_classifier.reading.scorer import NOT_MENTIONED, PRESENT, STATES, UNCERTAIN, Floats, Score, Scorer
from services.text_classifier.reading.sections import split_sections
from services.text_classifier.reading.sentences import sentence_spans
from services.text_classifier.reading.text_warnings import warnings_of
from services.text_classifier.reading.tokens import ReportTokenizer, read_tokenizer
from services.text_classifier.reading.windows import cut_windows
from shared.errors import InvalidInput
from shared.labels import LABELS, NO_FINDING, SUPPORT_DEVICES
from shared.schemas.sections import Section
from shared.schemas.system import ModelDetails, ModelInfo
from shared.schemas.text import Classification, EvidenceSpan, LabelResult, StateProbabilities
from shared.settings import Device

_NO_FINDING = LABELS.index(NO_FINDING)
_IS_FINDING = np.array([label not in (NO_FINDING, SUPPORT_DEVICES) for label in LABELS])
_NOTHING_SAID = np.tile([0.0, 0.0, 0.0, 1.0], (len(LABELS), 1))
_FIRST = frozenset({"impression", "addendum"})
"""The sections whose statements go before those of the others; what is added to a report amends its impression."""

Places = NDArray[np.int64]


class TextClassifier:
    """A loaded text model. Safe to use from one thread at a time per call; it keeps no state between calls."""

    def __init__(self, folder: ModelFolder, session: Session) -> None:
        self._folder = folder
        self._session = session
        self._tokenizer = ReportTokenizer(read_tokenizer(folder.path))
        self._scorer = Scorer(folder, session, self._tokenizer.pad)
        self._thresholds = np.array([folder.thresholds[label] for label in LABELS])
        self._evidence = EvidenceFinder(self._scorer, self._tokenizer.frame, self._decide)

    @classmethod
    def open(cls, path: Path, *, device: Device = "auto", threads: int = 0) -> Self:
        """Load a model folder, and what tells languages. Raises ModelLoadError, which says what is missing."""
        load_languages()
        folder = read_model_folder(path)
        return cls(folder, open_session(path, device=device, threads=threads, crowds=True, build_torch=_build_torch))

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name=self._folder.name,
            version=self._folder.version,
            weights_sha256=self._session.weights_sha256,
            engine=self._session.engine,
            device=self._session.device,
        )

    @property
    def details(self) -> ModelDetails:
        return ModelDetails(
            **self.info.model_dump(),
            labels=list(LABELS),
            thresholds=dict(self._folder.thresholds),
            label_support=dict(self._folder.label_support),
            intended_use=self._folder.intended_use,
        )

    @property
    def workers(self) -> int:
        """How many threads may well classify at the same time."""
        return self._session.cores

    @property
    def tokens_per_run(self) -> int:
        """How many tokens one run of the model takes best, padding included."""
        return self._scorer.tokens_per_run

    @property
    def window(self) -> int:
        """The most tokens that the model reads at once."""
        return self._folder.window

    def read(self, text: str, *, evidence: bool = False) -> Reading:
        """Tokenize a text and cut it into windows. Raises InvalidInput where it holds nothing to read."""
        tokens = self._tokenizer(text)
        if not len(tokens.ids):
            raise InvalidInput("An impression holds no readable text.")
        sentences = sentence_spans(text)
        language = foreign_language(text, sentences)
        limit = self._folder.window - 2
        sections = split_sections(text)
        if not sections:
            windows = cut_windows(tokens, sentences, limit)
            return Reading(text, tokens, tuple(windows), (False,) * len(windows), evidence=evidence, language=language)
        bodies = [((part.body, part.end), part.name in _FIRST) for part in sections if part.read]
        cuts = [(cut_windows(tokens, sentence_spans(text, body), limit, body), first) for body, first in bodies]
        return Reading(
            text,
            tokens,
            tuple(window for windows, _ in cuts for window in windows),
            tuple(first for windows, first in cuts for _ in windows),
            tuple(sections),
            evidence,
            language=language,
        )

    def classify(self, readings: Sequence[Reading], *, crowded: bool = False) -> list[Classification]:
        """One result for each reading, in order; all their windows share the model's runs.

        `crowded`: other threads classify at the same time, so that one core is the share of this one.
        """
        verdicts = self.verdicts(readings, crowded=crowded)
        return [
            self._classification(reading, verdict, crowded=crowded)
            for reading, verdict in zip(readings, verdicts, strict=True)
        ]

    def verdicts(self, readings: Sequence[Reading], *, crowded: bool = False) -> list[Verdict]:
        sequences = [
            self._tokenizer.frame(reading.tokens.ids[window.start : window.end])
            for reading in readings
            for window in reading.windows
        ]
        scores = iter(self._scorer.score(sequences, crowded=crowded))
        return [self._merge([next(scores) for _ in reading.windows], reading.first) for reading in readings]

    def _decide(self, posterior: Floats) -> NDArray[np.int64]:
        """(…, 14, 4) probabilities to (…, 14) states: present from the threshold on, else the likeliest."""
        other = 1 + posterior[..., 1:].argmax(axis=-1)
        return np.where(posterior[..., PRESENT] >= self._thresholds, PRESENT, other)

    def _merge(self, scores: Sequence[Score], first: Sequence[bool]) -> Verdict:
        """`first` tells for each score whether what it states goes before what the others state."""
        if not scores:
            return Verdict(_NOTHING_SAID, _NOTHING_SAID.argmax(axis=-1), np.zeros(len(LABELS), np.int64), ())
        posteriors = np.stack([score.posterior for score in scores])  # (W, 14, 4)
        states = self._decide(posteriors)  # (W, 14)
        speaker = _speakers(posteriors, states, np.arange(len(scores)))
        if any(first) and not all(first):
            speaker = _impression_first(posteriors, states, np.array(first), speaker[_NO_FINDING])
        labels = np.arange(len(LABELS))
        return Verdict(posteriors[speaker, labels], states[speaker, labels], speaker, tuple(scores))

    def _classification(self, reading: Reading, verdict: Verdict, *, crowded: bool) -> Classification:
        spans = self._evidence.find(reading, verdict, crowded=crowded) if reading.evidence else {}
        posterior = verdict.posterior.tolist()
        return Classification(
            labels={
                label: LabelResult(
                    probability=posterior[i][PRESENT],
                    state=STATES[verdict.states[i]],
                    state_probabilities=_by_state(*posterior[i]),
                    threshold=float(self._thresholds[i]),
                    evidence=[EvidenceSpan(start=start, end=end) for start, end in spans[i]] if i in spans else None,
                )
                for i, label in enumerate(LABELS)
            },
            sections=[Section(name=s.name, start=s.start, end=s.end, read=s.read) for s in reading.sections],
            warnings=warnings_of(reading, verdict),
        )


def _by_state(present: float, uncertain: float, absent: float, not_mentioned: float) -> StateProbabilities:
    return {"present": present, "uncertain": uncertain, "absent": absent, "not_mentioned": not_mentioned}


def _speakers(posteriors: Floats, states: Places, among: Places) -> Places:
    """For each label the window, `among` these, that speaks for it."""
    # State is in order of precedence, so the speaker has the lowest state, then the highest probability of present.
    speaker = (states - posteriors[..., PRESENT] / 2)[among].argmin(axis=0)
    speaker[_NO_FINDING] = posteriors[among, _NO_FINDING, PRESENT].argmin()
    spoken: Places = among[speaker]
    return spoken


def _impression_first(posteriors: Floats, states: Places, first: NDArray[np.bool_], denies_most: np.int64) -> Places:
    """The speakers where the impression comes before the other sections for each label that it states.

    Its own No Finding counts only where it overrules every finding of theirs; else that of the window that denies it
    most.
    """
    impression, others = (_speakers(posteriors, states, np.flatnonzero(among)) for among in (first, ~first))
    labels = np.arange(len(LABELS))
    stated = states[impression, labels] != NOT_MENTIONED
    found = _IS_FINDING & (states[others, labels] <= UNCERTAIN)
    speaker = np.where(stated, impression, others)
    overruled = found.any() and stated[found].all()
    speaker[_NO_FINDING] = impression[_NO_FINDING] if overruled else denies_most
    return speaker


def _build_torch(folder: Path) -> object:
    from services.text_classifier.network import build_torch  # noqa: PLC0415 - needs torch, often not there

    return build_torch(folder)
