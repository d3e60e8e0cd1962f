"""Everything that can be evaluated: model folders and the rules, behind one call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.text_classifier.examples.labelled import encode_states
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.rules.labeler import label_report
from services.text_classifier.rules.lexicon import Convention
from services.text_classifier.settings import BUNDLED_MODEL
from shared.labels import State

RULES: dict[str, Convention] = {"rules": "clinical", "rules-reference": "reference"}


@dataclass(frozen=True)
class Predictions:
    """`states` (N, 14): positions in `State`. `probabilities` (N, 14, 4): 0 and 1 only, where the rules speak."""

    states: NDArray[np.int64]
    probabilities: NDArray[np.float64]


Predictor = Callable[[Sequence[str]], Predictions]


def open_predictor(model: str) -> Predictor:
    """`rules`, `rules-reference`, `bundled`, or a model folder."""
    if model in RULES:
        return lambda texts: _by_rules(texts, RULES[model])
    classifier = TextClassifier.open(BUNDLED_MODEL if model == "bundled" else Path(model))
    return lambda texts: _by_model(texts, classifier)


def _by_rules(texts: Sequence[str], convention: Convention) -> Predictions:
    states = np.stack([encode_states(label_report(text, convention)) for text in texts]).astype(np.int64)
    return Predictions(states, np.eye(len(State))[states])


def _by_model(texts: Sequence[str], classifier: TextClassifier) -> Predictions:
    verdicts = classifier.verdicts([classifier.read(text) for text in texts])
    return Predictions(
        np.stack([verdict.states for verdict in verdicts]), np.stack([verdict.posterior for verdict in verdicts])
    )
