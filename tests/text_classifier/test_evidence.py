import pytest

from services.text_classifier.classifier import TextClassifier


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
