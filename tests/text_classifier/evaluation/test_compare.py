import numpy as np
import pytest

from services.text_classifier.evaluation.compare import comparison_table
from services.text_classifier.evaluation.metrics import judge
from services.text_classifier.evaluation.tfidf import fit_tfidf
from services.text_classifier.examples.labelled import UNKNOWN
from services.text_classifier.examples.sources import generated_examples
from shared.labels import LABELS

pytestmark = pytest.mark.slow

FRACTURE = LABELS.index("Fracture")


def test_tfidf_learns_from_what_is_known_and_gives_probabilities() -> None:
    train, test = generated_examples(1, 600), generated_examples(2, 100)
    for example in train:
        example.states[FRACTURE] = UNKNOWN
    predictions = fit_tfidf(train)([example.text for example in test])
    np.testing.assert_allclose(predictions.probabilities.sum(axis=-1), 1)
    assert set(predictions.states[:, FRACTURE]) == {3}  # never seen: not mentioned
    figures = judge(predictions, np.stack([example.states for example in test]), resamples=20)
    assert 0.5 < figures["present"]["micro"]["f1"] < 0.95
    table = comparison_table({"generated": {"TF-IDF": figures}})
    assert table.row_count == 1
