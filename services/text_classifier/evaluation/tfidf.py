"""The plainest baseline that learns: TF-IDF of words and word pairs, and a logistic regression for each label."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from services.text_classifier.evaluation.predictors import Predictions, Predictor
from services.text_classifier.examples.labelled import STATES, UNKNOWN, Example
from shared.labels import LABELS, State


def fit_tfidf(examples: Sequence[Example]) -> Predictor:
    """A label is fitted on the texts for which it is known; one that never varies is predicted as it always was."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    features = vectorizer.fit_transform([example.text for example in examples])
    states = np.stack([example.states for example in examples])
    models = [_fit(features, states[:, position]) for position in range(len(LABELS))]

    def predict(texts: Sequence[str]) -> Predictions:
        seen = vectorizer.transform(texts)
        probabilities = np.zeros((len(texts), len(LABELS), len(STATES)))
        for position, model in enumerate(models):
            if model is None:
                probabilities[:, position, STATES.index(State.NOT_MENTIONED)] = 1
            else:
                probabilities[:, position, model.classes_] = model.predict_proba(seen)
        return Predictions(probabilities.argmax(axis=-1), probabilities)

    return predict


def _fit(features: Any, states: NDArray[np.int8]) -> LogisticRegression | None:
    known = states != UNKNOWN
    if len(np.unique(states[known])) < 2:
        return None
    return LogisticRegression(C=30, max_iter=300).fit(features[known], states[known])
