"""Impressions in, the state of each of the 14 labels out.

A text longer than the model's window is read window by window, and the windows are merged. Of a text with headings only
the sections are read that say what is seen, each in windows of its own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.inference.session import Session, open_session
from services.text_classifier.reading.evidence import EvidenceFinder
from services.text_classifier.reading.language import foreign_language, load_languages
from services.text_classifier.reading.merge import merge
from services.text_classifier.reading.model_folder import ModelFolder, read_model_folder
from services.text_classifier.reading.reading import Reading, Verdict
from services.text_classifier.reading.scorer import PRESENT, STATES, Floats, Scorer
from services.text_classifier.reading.sections import ranks_of, split_sections
from services.text_classifier.reading.sentences import sentence_spans
from services.text_classifier.reading.text_warnings import warnings_of
from services.text_classifier.reading.tokens import ReportTokenizer, read_tokenizer
from services.text_classifier.reading.windows import cut_windows, packed
from shared.errors import InvalidInput
from shared.labels import LABELS
from shared.schemas.sections import Section
from shared.schemas.system import ModelDetails, ModelInfo
from shared.schemas.text import Classification, EvidenceSpan, LabelResult, StateProbabilities
from shared.settings import Device


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
            return Reading(text, tokens, tuple(windows), (0,) * len(windows), evidence=evidence, language=language)
        ranked = [
            (window, rank)
            for part, rank in zip(sections, ranks_of(sections), strict=True)
            if part.read
            for window in cut_windows(tokens, sentence_spans(text, (part.body, part.end)), limit, (part.body, part.end))
        ]
        windows = [window for window, _ in ranked]
        return Reading(
            text,
            tokens,
            tuple(windows),
            tuple(rank for _, rank in ranked),
            tuple(packed(windows, limit)),
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
            self._tokenizer.frame(np.concatenate([reading.tokens.ids[w.start : w.end] for w in windows]))
            for reading in readings
            for windows in (*((window,) for window in reading.windows), *reading.together)
        ]
        scores = iter(self._scorer.score(sequences, crowded=crowded))
        return [
            merge(
                [next(scores) for _ in reading.windows],
                reading.ranks,
                [next(scores) for _ in reading.together],
                self._decide,
                self._thresholds,
            )
            for reading in readings
        ]

    def _decide(self, posterior: Floats) -> NDArray[np.int64]:
        """(…, 14, 4) probabilities to (…, 14) states: present from the threshold on, else the likeliest."""
        other = 1 + posterior[..., 1:].argmax(axis=-1)
        return np.where(posterior[..., PRESENT] >= self._thresholds, PRESENT, other)

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


def _build_torch(folder: Path) -> object:
    from services.text_classifier.network import build_torch  # noqa: PLC0415 - needs torch, often not there

    return build_torch(folder)
