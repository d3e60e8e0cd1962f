import numpy as np
import pytest

from services.text_classifier.evaluation.metrics import judge
from services.text_classifier.evaluation.predictors import Predictions
from services.text_classifier.examples.labelled import part_of
from services.text_classifier.examples.sources import Sources, gather
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.sentences import sentence_spans
from shared.labels import LABELS, State

pytestmark = pytest.mark.slow

STATES = list(State)


def test_made_texts_differ_between_epochs_and_agree_between_runs() -> None:
    sources = Sources(generated=20, hard=20)
    first, again = gather(sources), gather(sources)
    texts = [[example.text for example in parts.made(epoch)] for parts in (first, again) for epoch in (0, 1)]
    assert len(texts[0]) == 40
    assert texts[:2] == texts[2:]
    assert len(set(texts[0]) & set(texts[1])) < 5


def test_validation_texts_are_not_made_for_training() -> None:
    parts = gather(Sources(generated=300))
    trained_on = {example.text for epoch in range(3) for example in parts.made(epoch)}
    assert sum(example.text in trained_on for example in parts.validation) < 5  # a few say no more than "Normal chest."


def test_unlabelled_reports_are_labelled_by_the_rules(tmp_path) -> None:
    file = tmp_path / "unlabelled.csv"
    file.write_text("note\n" + "".join(f"Small effusion {i}. No pneumothorax.\n" for i in range(60)))
    example = gather(Sources(csv=[file], text_column="note")).train[0]
    said = {label: STATES[example.states[i]] for i, label in enumerate(LABELS)}
    assert (said["Pleural Effusion"], said["Pneumothorax"]) == (State.PRESENT, State.ABSENT)


@pytest.fixture(scope="module")
def openi(real_data):
    return gather(Sources(openi=real_data / "openi_reports" / "indiana_reports.csv", mixed=300))


@pytest.mark.real_data
def test_no_report_is_on_two_sides(openi) -> None:
    groups = [{example.group for example in part} for part in (openi.train, openi.validation, openi.test)]
    assert not groups[0] & groups[1]
    assert not (groups[0] | groups[1]) & groups[2]
    assert all(part_of(group) == "test" for group in groups[2])


@pytest.mark.real_data
def test_no_sentence_of_the_test_part_alone_is_mixed_into_training(openi) -> None:
    trained_on = {e.text[a:b] for e in openi.train for a, b in sentence_spans(e.text)}
    held_out = {e.text[a:b] for e in openi.test for a, b in sentence_spans(e.text) if b - a > 60} - trained_on
    assert len(held_out) > 100
    mixed = "\n".join(example.text for example in openi.made(0))
    assert not [sentence for sentence in held_out if sentence in mixed]


@pytest.mark.real_data
def test_the_bundled_model_agrees_with_the_rules_on_reports_it_never_saw(openi, bundled: TextClassifier) -> None:
    held_out = openi.test[::6]
    verdicts = bundled.verdicts([bundled.read(example.text) for example in held_out])
    predictions = Predictions(np.stack([v.states for v in verdicts]), np.stack([v.posterior for v in verdicts]))
    figures = judge(predictions, np.stack([example.states for example in held_out]), resamples=1)["present"]
    assert figures["micro"]["f1"] >= 0.93
