"""Impressions in, the state of each of the 14 labels out.

A text longer than the model's window is read window by window and merged as mentions are merged in a report: the
window in which a label is most present speaks for it (present before uncertain before absent). No Finding is a
statement about the whole text, so there the window that denies it most speaks.
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
from services.text_classifier.reading.scorer import PRESENT, STATES, Floats, Score, Scorer
from services.text_classifier.reading.sentences import sentence_spans
from services.text_classifier.reading.text_warnings import warnings_of
from services.text_classifier.reading.tokens import ReportTokenizer, read_tokenizer
from services.text_classifier.reading.windows import cut_windows
from shared.errors import InvalidInput
from shared.labels import LABELS, NO_FINDING
from shared.schemas.system import ModelDetails, ModelInfo
from shared.schemas.text import Classification, EvidenceSpan, LabelResult, StateProbabilities
from shared.settings import Device

_NO_FINDING = LABELS.index(NO_FINDING)


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

    def read(self, text: str, *, evidence: bool = False) -> Reading:
        """Tokenize a text and cut it into windows. Raises InvalidInput where it holds nothing to read."""
        tokens = self._tokenizer(text)
        if not len(tokens.ids):
            raise InvalidInput("An impression holds no readable text.")
        sentences = sentence_spans(text)
        windows = cut_windows(tokens, sentences, self._folder.window - 2)
        return Reading(text, tokens, tuple(windows), evidence, language=foreign_language(text, sentences))

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
        return [self._merge([next(scores) for _ in reading.windows]) for reading in readings]

    def _decide(self, posterior: Floats) -> NDArray[np.int64]:
        """(…, 14, 4) probabilities to (…, 14) states: present from the threshold on, else the likeliest."""
        other = 1 + posterior[..., 1:].argmax(axis=-1)
        return np.where(posterior[..., PRESENT] >= self._thresholds, PRESENT, other)

    def _merge(self, scores: Sequence[Score]) -> Verdict:
        posteriors = np.stack([score.posterior for score in scores])  # (W, 14, 4)
        states = self._decide(posteriors)  # (W, 14)
        # State is in order of precedence, so the speaker has the lowest state, then the highest probability of present.
        speaker = (states - posteriors[..., PRESENT] / 2).argmin(axis=0)
        speaker[_NO_FINDING] = posteriors[:, _NO_FINDING, PRESENT].argmin()
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
            warnings=warnings_of(reading, verdict),
        )


def _by_state(present: float, uncertain: float, absent: float, not_mentioned: float) -> StateProbabilities:
    return {"present": present, "uncertain": uncertain, "absent": absent, "not_mentioned": not_mentioned}


def _build_torch(folder: Path) -> object:
    from services.text_classifier.network import build_torch  # noqa: PLC0415 - needs torch, often not there

    return build_torch(folder)
