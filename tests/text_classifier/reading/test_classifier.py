import json

import numpy as np
import pytest

from services.inference.model_files import ModelLoadError
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.model_folder import read_model_folder
from shared.errors import InvalidInput
from shared.labels import LABELS, State


def states(classifier: TextClassifier, text: str) -> dict[str, State]:
    result = classifier.classify([classifier.read(text)])[0]
    return {label: found.state for label, found in result.labels.items() if found.state is not State.NOT_MENTIONED}


def test_each_label_gets_the_state_its_logits_say(words: TextClassifier) -> None:
    assert states(words, "small effusion. no pneumothorax. possible edema.") == {
        "Pleural Effusion": State.PRESENT,
        "Pneumothorax": State.ABSENT,
        "Edema": State.UNCERTAIN,
    }


def test_the_most_present_window_speaks_for_a_long_text(words: TextClassifier, word_session) -> None:
    filler = "lungs clear and heart stable. " * 12
    text = f"no effusion. {filler} possible effusion. {filler} effusion is present. {filler} no effusion."
    assert len(words.read(text).windows) > 3
    assert states(words, text) == {"Pleural Effusion": State.PRESENT}
    assert all(tokens <= 32 for _, tokens in word_session.runs)


def test_uncertain_wins_over_absent_between_windows(words: TextClassifier) -> None:
    filler = "lungs clear and heart stable. " * 12
    assert states(words, f"no edema. {filler} possible edema. {filler} no edema.") == {"Edema": State.UNCERTAIN}


def test_no_finding_is_said_of_a_long_text_only_if_every_window_says_it(words: TextClassifier) -> None:
    filler = "lungs clear and heart stable. " * 12
    assert states(words, filler) == {"No Finding": State.PRESENT}
    assert states(words, f"{filler} effusion. {filler}") == {"Pleural Effusion": State.PRESENT}


def test_a_finding_at_the_end_of_the_longest_text_is_read(words: TextClassifier) -> None:
    text = "lungs clear. " * 1500 + "edema"
    assert states(words, text) == {"Edema": State.PRESENT}


def test_a_text_without_anything_readable_is_refused(words: TextClassifier) -> None:
    with pytest.raises(InvalidInput):
        words.read("\u200b\u200b")


def test_thresholds_decide_what_is_present(word_folder, word_session) -> None:
    (word_folder / "thresholds.json").write_text(json.dumps({"Edema": 0.9}))
    (word_folder / "calibration.json").write_text(json.dumps({"Edema": {"slope": 0.1, "intercept": 0.0}}))
    classifier = TextClassifier(read_model_folder(word_folder), word_session)
    result = classifier.classify([classifier.read("edema")])[0].labels["Edema"]
    assert 0.5 < result.probability < 0.9 == result.threshold
    assert result.state is State.NOT_MENTIONED


def test_a_folder_without_a_tokenizer_says_what_is_missing(word_folder, word_session) -> None:
    (word_folder / "vocab.txt").unlink()
    with pytest.raises(ModelLoadError, match=r"neither tokenizer\.json nor vocab\.txt"):
        TextClassifier(read_model_folder(word_folder), word_session)


def test_a_foreign_configuration_is_refused_with_the_reason(tmp_path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertModel"]}))
    with pytest.raises(ModelLoadError, match="neither a folder written by"):
        read_model_folder(tmp_path)


def test_outputs_are_read_in_the_order_the_folder_names(word_folder, word_session) -> None:
    config = json.loads((word_folder / "config.json").read_text())
    (word_folder / "config.json").write_text(json.dumps(config | {"labels": list(reversed(LABELS))}))
    classifier = TextClassifier(read_model_folder(word_folder), word_session)
    mirrored = LABELS[13 - LABELS.index("Edema")]
    assert states(classifier, "edema").get(mirrored) is State.PRESENT


def test_the_four_states_sum_to_one_and_agree_with_the_rest_of_the_result(words: TextClassifier) -> None:
    (result,) = words.classify([words.read("no effusion. possible pneumothorax. edema.")])
    for label in result.labels.values():
        states = label.state_probabilities
        assert sum(states.values()) == pytest.approx(1, abs=1e-9)
        assert min(states.values()) >= 0
        assert states["present"] == label.probability
        assert max(states, key=states.__getitem__) == label.state


def test_a_text_says_of_itself_that_it_is_not_english(words: TextClassifier) -> None:
    english, spanish = words.classify([words.read("edema"), words.read("No se observa derrame pleural izquierdo.")])
    assert english.warnings == []
    assert [(warning.code, warning.language) for warning in spanish.warnings] == [("not_english", "es")]
    assert "derrame" not in spanish.warnings[0].message


def test_a_text_says_of_itself_that_it_states_nothing(word_folder, word_session) -> None:
    (word_folder / "thresholds.json").write_text(json.dumps({"No Finding": 1.0}))
    (word_folder / "calibration.json").write_text(json.dumps({"No Finding": {"slope": 1.0, "intercept": -20.0}}))
    classifier = TextClassifier(read_model_folder(word_folder), word_session)
    silent, denial = classifier.classify([classifier.read("heart stable"), classifier.read("no edema")])
    assert [warning.code for warning in silent.warnings] == ["nothing_stated"]
    assert denial.warnings == []


def test_posteriors_sum_to_one(words: TextClassifier) -> None:
    verdict = words.verdicts([words.read("no effusion. edema.")])[0]
    np.testing.assert_allclose(verdict.posterior.sum(axis=-1), 1)
