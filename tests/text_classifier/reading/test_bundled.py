"""The model in the repository: what it must answer, whatever it is trained on next."""

import numpy as np
import pytest

from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import BUNDLED_MODEL
from shared.labels import LABELS, State
from tests.repository import REPOSITORY

MAX_BYTES = 40_000_000
TEXTS = [
    "Mild cardiomegaly is present.",
    "No acute cardiopulmonary process.",
    "1. Small left pleural effusion, unchanged. 2. No pneumothorax. 3. Possible right lower lobe pneumonia.",
    "endotracheal tube tip 3 cm above the carina. stable moderate pulmonary edema. " * 25,
]


def states(classifier: TextClassifier, text: str) -> dict[str, State]:
    result = classifier.classify([classifier.read(text)])[0]
    return {label: found.state for label, found in result.labels.items() if found.state is not State.NOT_MENTIONED}


def test_the_folder_is_small_and_complete() -> None:
    files = {file.name: file.stat().st_size for file in BUNDLED_MODEL.iterdir() if file.is_file()}
    needed = {"config.json", "tokenizer.json", "model.onnx", "model.safetensors", "thresholds.json", "calibration.json"}
    assert needed | {"README.md"} == set(files)
    assert sum(files.values()) <= MAX_BYTES


@pytest.mark.parametrize(
    ("text", "label", "state"),
    [
        ("Mild cardiomegaly is present.", "Cardiomegaly", State.PRESENT),
        ("MILD CARDIOMEGALY", "Cardiomegaly", State.PRESENT),
        ("heart size is normal", "Cardiomegaly", State.ABSENT),
        ("No pleural effusion. Small pneumothorax.", "Pneumothorax", State.PRESENT),
        ("No pleural effusion. Small pneumothorax.", "Pleural Effusion", State.ABSENT),
        ("no pleural effusion, pneumothorax or consolidation", "Consolidation", State.ABSENT),
        ("Pneumonia cannot be excluded.", "Pneumonia", State.UNCERTAIN),
        ("No acute cardiopulmonary process.", "No Finding", State.PRESENT),
        ("Endotracheal tube in good position.", "Support Devices", State.PRESENT),
        ("Acute fracture of the left 7th rib.", "Fracture", State.PRESENT),
        ("3 cm mass in the right upper lobe.", "Lung Lesion", State.PRESENT),
    ],
)
def test_plain_statements_are_read_rightly(bundled: TextClassifier, text: str, label: str, state: State) -> None:
    assert states(bundled, text).get(label) == state


def test_an_impression_gets_the_same_answer_in_any_company(bundled: TextClassifier) -> None:
    alone = [bundled.classify([bundled.read(text)])[0] for text in TEXTS]
    together = bundled.classify([bundled.read(text) for text in TEXTS * 2])
    for i, answer in enumerate(together):
        expected = alone[i % len(TEXTS)]
        for label in LABELS:
            assert answer.labels[label].state == expected.labels[label].state
            assert answer.labels[label].probability == pytest.approx(expected.labels[label].probability, abs=2e-5)
            states = answer.labels[label].state_probabilities
            assert states == pytest.approx(expected.labels[label].state_probabilities, abs=2e-5)
            assert sum(states.values()) == pytest.approx(1, abs=1e-9)
            assert states["present"] == answer.labels[label].probability


def test_a_finding_anywhere_in_a_long_text_is_found(bundled: TextClassifier) -> None:
    filler = "The lungs are clear. Heart size is normal. No effusion. " * 20
    for place in range(2):
        text = "".join(f"{filler}{'Large right pneumothorax. ' if place == i else ''}" for i in range(2))
        assert states(bundled, text)["Pneumothorax"] == State.PRESENT


def test_evidence_points_at_the_words(bundled: TextClassifier) -> None:
    text = "Heart size is normal. Large left pleural effusion. No pneumothorax."
    result = bundled.classify([bundled.read(text, evidence=True)])[0]
    for label, words in (("Pleural Effusion", "effusion"), ("Pneumothorax", "No pneumothorax")):
        assert words in " ".join(text[span.start : span.end] for span in result.labels[label].evidence or ())


def test_the_golden_impressions_are_read_as_their_author_reads_them(bundled: TextClassifier) -> None:
    pytest.importorskip("pandas")
    from services.text_classifier.evaluation.metrics import judge
    from services.text_classifier.evaluation.predictors import Predictions
    from services.text_classifier.examples.labelled import read_csv

    golden = read_csv(REPOSITORY / "tests/text_classifier/rules/golden/impressions.csv", "impression")
    verdicts = bundled.verdicts([bundled.read(example.text) for example in golden])
    predictions = Predictions(np.stack([v.states for v in verdicts]), np.stack([v.posterior for v in verdicts]))
    figures = judge(predictions, np.stack([example.states for example in golden]), resamples=1)
    assert figures["present"]["micro"]["f1"] >= 0.99
