"""Reports with headings: the impression speaks first, then the other sections, and context not at all."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.sentences import sentence_spans
from services.text_classifier.reading.windows import cut_windows
from shared.labels import LABELS, State
from shared.schemas.text import Classification

NF, EFFUSION, EDEMA = "No Finding", "Pleural Effusion", "Edema"


def classify(classifier: TextClassifier, text: str, *, evidence: bool = False) -> Classification:
    return classifier.classify([classifier.read(text, evidence=evidence)])[0]


def states(classifier: TextClassifier, text: str) -> dict[str, str]:
    labels = classify(classifier, text).labels
    return {label: str(found.state) for label, found in labels.items() if found.state is not State.NOT_MENTIONED}


@pytest.mark.parametrize(
    ("findings", "impression", "expected"),
    [
        ("small effusion.", "no effusion.", {EFFUSION: "absent", NF: "present"}),
        ("no effusion.", "small effusion.", {EFFUSION: "present"}),
        ("small effusion.", "possible effusion.", {EFFUSION: "uncertain"}),
        ("small effusion.", "heart stable.", {EFFUSION: "present"}),
        ("small effusion. mild edema.", "no effusion.", {EFFUSION: "absent", EDEMA: "present"}),
        (
            "possible effusion. mild edema.",
            "no effusion. no edema.",
            {EFFUSION: "absent", EDEMA: "absent", NF: "present"},
        ),
        ("no effusion. no edema.", "heart stable.", {EFFUSION: "absent", EDEMA: "absent", NF: "present"}),
        ("no effusion.", "mild edema.", {EFFUSION: "absent", EDEMA: "present"}),
    ],
)
@pytest.mark.parametrize(
    "shape", ["FINDINGS: {0}\nIMPRESSION: {1}", "Conclusion: {1}\n\nFindings: {0}", "{0}\nOPINION\n{1}"]
)
def test_what_the_impression_states_goes_before_what_the_findings_do(
    words, shape, findings, impression, expected
) -> None:
    assert states(words, shape.format(findings, impression)) == expected


def test_within_a_section_the_most_present_window_speaks(words) -> None:
    filler = "lungs clear and heart stable. " * 12
    text = f"FINDINGS: no edema. {filler}\nIMPRESSION: no effusion. {filler} small effusion. {filler} no effusion."
    assert states(words, text) == {EFFUSION: "present", EDEMA: "absent"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IMPRESSION: no effusion.\nADDENDUM: small effusion.", {EFFUSION: "present"}),
        ("IMPRESSION: small effusion.\nADDENDUM: no effusion.", {EFFUSION: "absent", NF: "present"}),
        ("ADDENDUM: no effusion.\nIMPRESSION: small effusion.", {EFFUSION: "absent", NF: "present"}),
        ("PRELIMINARY IMPRESSION: effusion.\nFINAL IMPRESSION: no effusion.", {EFFUSION: "absent", NF: "present"}),
    ],
)
def test_the_last_word_counts(words, text, expected) -> None:
    assert states(words, text) == expected


NORMAL = "Heart size is normal. The lungs are clear."


@pytest.mark.parametrize(
    "text",
    [
        f"XR CHEST 2 VIEWS\nHISTORY: cough\nFINDINGS: {NORMAL}\nIMPRESSION: Normal chest.",
        "REPORT: Chest PA and lateral.\nCONCLUSION: No active disease.",
        f"FINDINGS: {NORMAL}\nIMPRESSION: As above.",
        "IMPRESSION: Normal chest.\nADDENDUM: Discussed with the ward by telephone at 10:40.",
        f"FINDINGS: {NORMAL}\nRECOMMENDATION: Clinical correlation.",
        f"FINDINGS: Possible effusion. {NORMAL}\nIMPRESSION: No effusion. Normal chest.\nADDENDUM: Called at 9:10.",
    ],
)
def test_a_normal_report_is_normal_though_a_section_says_nothing(bundled, text) -> None:
    assert states(bundled, text)[NF] == "present"


@pytest.mark.parametrize(
    "text",
    [
        f"FINDINGS: {NORMAL}\nIMPRESSION: Emphysema.",
        f"FINDINGS: Emphysema.\nIMPRESSION: {NORMAL}",
        f"FINDINGS: {NORMAL}\nIMPRESSION: Small left effusion.",
    ],
)
def test_a_report_with_an_abnormality_in_one_section_is_not_normal(bundled, text) -> None:
    assert NF not in states(bundled, text)


def test_context_is_never_shown_to_the_model(words, word_session) -> None:
    text = "HISTORY: edema.\nCOMPARISON: effusion.\nFINDINGS: heart stable.\nIMPRESSION: lungs clear."
    assert states(words, text) == {NF: "present"}
    assert sum(rows for rows, _ in word_session.runs) == 3
    assert max(tokens for _, tokens in word_session.runs) == 8  # [CLS] heart stable . lungs clear . [SEP]


def test_findings_and_impression_never_share_a_window(words) -> None:
    text = "FINDINGS: heart stable.\nIMPRESSION: lungs clear.\nRECOMMENDATION: stable."
    reading = words.read(text)
    shown = [text[reading.tokens.starts[w.start] : reading.tokens.ends[w.end - 1]] for w in reading.windows]
    assert shown == ["heart stable.", "lungs clear.", "stable."]
    assert reading.ranks == (0, 1, 0)
    assert reading.together == (reading.windows,)


@pytest.mark.parametrize(
    "text", ["History: edema.", "IMPRESSION:", "INDICATION:\nrule out effusion\n\nCOMPARISON: edema"]
)
def test_a_text_of_which_nothing_is_read_mentions_nothing(words, word_session, text) -> None:
    result = classify(words, text, evidence=True)
    assert {found.state for found in result.labels.values()} == {State.NOT_MENTIONED}
    assert {found.probability for found in result.labels.values()} == {0}
    assert not word_session.runs
    assert result.sections


def test_the_answer_says_which_sections_were_read(words) -> None:
    text = "x\r\nHistory: edema.\r\n\r\nFindings: heart stable."
    assert [(s.name, text[s.start : s.end], s.read) for s in classify(words, text).sections] == [
        ("other", "x", True),
        ("history", "History: edema.", False),
        ("findings", "Findings: heart stable.", True),
    ]
    assert classify(words, "Heart: stable. Edema: no.").sections == []


def test_evidence_lies_in_the_section_that_decided(words) -> None:
    text = "INDICATION: effusion.\nFINDINGS: mild edema. no effusion.\nIMPRESSION: small effusion."
    labels = classify(words, text, evidence=True).labels
    cited = {
        label: [text[s.start : s.end] for s in found.evidence] for label, found in labels.items() if found.evidence
    }
    assert cited == {EDEMA: ["mild edema"], EFFUSION: ["small effusion"]}


PIECES = (
    "no ",
    "possible ",
    "effusion",
    "edema",
    "heart",
    "lungs clear",
    ".",
    ";",
    "\n",
    "\n\n",
    "1. ",
    "Heart: ",
    " ",
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=60).map("".join).filter(str.strip))
def test_a_text_without_headings_is_read_as_if_there_were_none(words, text) -> None:
    reading = words.read(text)
    assert list(reading.windows) == cut_windows(reading.tokens, sentence_spans(text), words.window - 2)
    assert reading.sections == ()
    assert not any(reading.ranks)
    assert reading.together == ()
    verdict = words.verdicts([reading])[0]
    posteriors = np.stack([score.posterior for score in verdict.scores])
    decided = words._decide(posteriors)
    speaker = (decided - posteriors[..., 0] / 2).argmin(axis=0)
    speaker[LABELS.index(NF)] = posteriors[:, LABELS.index(NF), 0].argmin()
    np.testing.assert_array_equal(verdict.speaker, speaker)
    np.testing.assert_array_equal(verdict.posterior, posteriors[speaker, np.arange(14)])


REPORT = """EXAM: Chest, two views

CLINICAL HISTORY: Known heart failure and right pleural effusion. Rule out pneumothorax.

COMPARISON: Yesterday, when a chest tube was in place.

FINDINGS: Small left pleural effusion. The heart is enlarged.

IMPRESSION:
1. Small left pleural effusion.
2. Cardiomegaly."""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_bundled_model_reads_a_whole_report(bundled, line_end) -> None:
    found = states(bundled, REPORT.replace("\n", line_end))
    assert (found[EFFUSION], found["Cardiomegaly"]) == ("present", "present")
    assert not {"Support Devices", "Pneumothorax", EDEMA} & set(found)


def test_the_bundled_model_reads_nothing_of_an_inline_history(bundled) -> None:
    found = classify(bundled, "Clinical history: CHF and pneumonia. The lungs are clear.")
    alone = classify(bundled, "The lungs are clear.")
    assert found.labels == alone.labels
