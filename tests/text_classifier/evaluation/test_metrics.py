import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from services.text_classifier.evaluation.metrics import judge
from services.text_classifier.evaluation.predictors import Predictions
from services.text_classifier.examples.labelled import UNKNOWN
from shared.labels import LABELS

EDEMA, NO_FINDING = LABELS.index("Edema"), LABELS.index("No Finding")


@pytest.fixture
def noisy() -> tuple[Predictions, np.ndarray]:
    """400 reports; predictions are right four times in five."""
    rng = np.random.default_rng(3)
    truth = rng.choice(4, (400, 14), p=[0.2, 0.1, 0.2, 0.5]).astype(np.int8)
    states = np.where(rng.random(truth.shape) < 0.8, truth, rng.integers(0, 4, truth.shape)).astype(np.int64)
    probabilities = rng.dirichlet(np.ones(4), truth.shape) * 0.5 + np.eye(4)[states] * 0.5
    return Predictions(states, probabilities), truth


def test_figures_are_those_of_scikit_learn(noisy) -> None:
    predictions, truth = noisy
    figures = judge(predictions, truth, resamples=20)["present"]
    expected = precision_recall_fscore_support(truth == 0, predictions.states == 0, average=None)
    for i, label in enumerate(LABELS):
        entry = figures["labels"][label]
        found = [entry["precision"], entry["recall"], entry["f1"]]
        assert found == pytest.approx([values[i] for values in expected[:3]], abs=1e-5)
        assert entry["auroc"] == pytest.approx(
            roc_auc_score(truth[:, i] == 0, predictions.probabilities[:, i, 0]), abs=1e-5
        )
    micro = precision_recall_fscore_support(truth.ravel() == 0, predictions.states.ravel() == 0, average="binary")
    assert figures["micro"]["f1"] == pytest.approx(micro[2], abs=1e-5)
    assert figures["macro"]["f1"] == pytest.approx(np.mean(expected[2]), abs=1e-5)


def test_intervals_hold_the_figure_and_are_about_as_wide_as_theory_says(noisy) -> None:
    entry = judge(*noisy, resamples=500)["present"]["labels"]["Edema"]
    low, high = entry["intervals"]["recall"]
    assert low < entry["recall"] < high
    deviation = (entry["recall"] * (1 - entry["recall"]) / entry["support"]) ** 0.5
    assert (high - low) / (2 * 1.96 * deviation) == pytest.approx(1, abs=0.25)


def test_an_unknown_label_counts_nowhere(noisy) -> None:
    predictions, truth = noisy
    known = judge(Predictions(predictions.states[:200], predictions.probabilities[:200]), truth[:200], resamples=2)
    truth[200:] = UNKNOWN
    masked = judge(predictions, truth, resamples=2)
    for state in ("present", "absent", "uncertain"):
        assert masked[state]["micro"]["f1"] == known[state]["micro"]["f1"]
        assert masked[state]["macro"]["auroc"] == known[state]["macro"]["auroc"]


def test_what_is_not_defined_is_none_and_not_in_the_macro_mean(noisy) -> None:
    predictions, truth = noisy
    truth[:, EDEMA] = 3
    figures = judge(predictions, truth, resamples=5)
    assert figures["present"]["labels"]["Edema"]["f1"] is None
    others = [entry["f1"] for entry in figures["present"]["labels"].values() if entry["f1"] is not None]
    assert len(others) == 13
    assert figures["present"]["macro"]["f1"] == pytest.approx(np.mean(others), abs=1e-4)
    assert figures["absent"]["labels"]["No Finding"]["f1"] is None
