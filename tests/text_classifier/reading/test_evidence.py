import pytest

from services.text_classifier.reading import reading
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.model_folder import read_model_folder


def evidence(classifier: TextClassifier, text: str) -> dict[str, list[str]]:
    result = classifier.classify([classifier.read(text, evidence=True)])[0]
    return {
        label: [text[span.start : span.end] for span in found.evidence]
        for label, found in result.labels.items()
        if found.evidence
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Small effusion. No pneumothorax.",
            {"Pleural Effusion": ["Small effusion"], "Pneumothorax": ["No pneumothorax"]},
        ),
        (
            "Mild edema and small effusion.",
            {"Edema": ["Mild edema"], "Pleural Effusion": ["small effusion"]},
        ),
        (
            "no effusion, edema or pneumothorax.",
            {
                "Pleural Effusion": ["no effusion"],
                "Edema": ["no effusion, edema"],
                "Pneumothorax": ["no effusion", "pneumothorax"],
            },
        ),
    ],
)
def test_evidence_is_the_phrases_without_which_the_state_is_lost(words, text, expected) -> None:
    found = evidence(words, text)
    found.pop("No Finding", None)
    assert found == expected


def test_a_finding_said_twice_has_both_places(words) -> None:
    found = evidence(words, "Effusion is present. Heart stable. Small left effusion.")
    assert found["Pleural Effusion"] == ["Effusion is present", "Small left effusion"]


def test_evidence_in_a_later_window_has_offsets_of_the_whole_text(words) -> None:
    text = "lungs clear and heart stable. " * 20 + "Small effusion."
    assert evidence(words, text) == {"Pleural Effusion": ["Small effusion"]}


def test_no_evidence_is_given_unasked(words) -> None:
    result = words.classify([words.read("edema")])[0]
    assert all(found.evidence is None for found in result.labels.values())


def test_hidden_and_shown_pieces_share_runs(words, word_session) -> None:
    evidence(words, "Small effusion. No pneumothorax. Mild edema and heart stable.")
    assert len(word_session.runs) == 3  # the text, its sentences, their phrases


def test_search_for_evidence_takes_no_more_tokens_than_the_text_is_worth(words, word_session) -> None:
    sentence = "small left effusion, mild edema, no pneumothorax" + ", heart stable" * 40 + ". "
    asked = words.read(sentence * 40, evidence=True)
    words.classify([words.read(asked.text)])
    text = sum(rows * tokens for rows, tokens in word_session.runs)
    word_session.runs.clear()
    words.classify([asked])
    assert sum(rows * tokens for rows, tokens in word_session.runs) - text <= 1.1 * asked.search  # and padding


def test_sentence_whose_phrases_cannot_be_tried_any_more_is_evidence_as_a_whole(words, monkeypatch) -> None:
    monkeypatch.setattr(reading, "EVIDENCE_COSTS", 3)
    found = evidence(words, "Mild edema, heart stable and lungs clear. Heart stable. Lungs clear. Heart stable.")
    assert found["Edema"] == ["Mild edema, heart stable and lungs clear"]


class CrowdedSession:
    """Notes for each run whether it was told that others run."""

    cores = 1

    def __init__(self, session) -> None:
        self._session, self.crowded = session, []
        self.engine, self.device, self.weights_sha256 = session.engine, session.device, session.weights_sha256

    def run(self, inputs, *, crowded=False):
        self.crowded.append(crowded)
        return self._session.run(inputs)


def test_search_for_evidence_takes_one_core_where_others_are_at_work(word_folder, word_session) -> None:
    session = CrowdedSession(word_session)
    classifier = TextClassifier(read_model_folder(word_folder), session)
    classifier.classify([classifier.read("Mild edema, heart stable.", evidence=True)], crowded=True)
    assert session.crowded == [True, True, True]
