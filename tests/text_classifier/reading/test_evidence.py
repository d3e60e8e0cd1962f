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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no effusion, no heart, edema.", ["no heart, edema"]),
        ("possible effusion, possible heart, lungs, edema.", ["possible heart", "edema"]),
        ("edema, no edema, no effusion, heart, edema.", ["edema"]),  # present: it says so by itself
    ],
)
def test_a_state_that_several_words_give_is_cited_with_the_nearest_of_them(words, text, expected) -> None:
    assert evidence(words, text)["Edema"] == expected


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("lungs clear. no heart.", ["lungs clear", "no heart"]),
        ("picc present. lungs clear. wires intact.", ["lungs clear"]),
        ("picc in place, lungs clear.", ["lungs clear"]),
        ("heart stable. small heart.", None),
        ("HISTORY: heart clear.\n\nlungs clear.", ["lungs clear"]),
        ("heart stable. " * 4 + "lungs clear.", ["lungs clear"]),
    ],
)
def test_no_finding_cites_what_is_called_normal_and_no_device(words, text, cited) -> None:
    assert evidence(words, text).get("No Finding") == cited


def test_the_same_text_has_the_same_evidence_whatever_is_read_beside_it(words) -> None:
    texts = ["no effusion, no heart, edema.", "possible edema, lungs clear.", "no effusion, edema or pneumothorax."]
    together = words.classify([words.read(text, evidence=True) for text in texts])
    assert together == [words.classify([words.read(text, evidence=True)])[0] for text in texts]


@pytest.mark.parametrize(
    ("text", "label", "word"),
    [
        ("No pneumothorax or effusion.", "Pneumothorax", "No"),
        ("No pneumothorax or effusion.", "Pleural Effusion", "No"),
        ("The lungs are free of edema, and no effusion is seen.", "Pleural Effusion", "no"),
        ("Pneumonia cannot be excluded.", "Pneumonia", "cannot"),
        ("Possible pneumonia at the left base. Small effusion.", "Pneumonia", "Possible"),
        ("No acute disease. Right PICC in place.", "No Finding", "No acute disease"),
    ],
)
def test_the_bundled_model_cites_the_word_that_decides(bundled, text, label, word) -> None:
    assert any(word in cited for cited in evidence(bundled, text)[label])


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
