"""Where a report's sections begin and end, and which of them are read."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text_classifier.reading.sections import split_sections

HEADINGS = (
    "History:",
    "INDICATION:",
    "comparison:",
    "**Findings:**",
    "FINDINGS",
    "Impression:",
    "TECHNIQUE :",
    "Heart:",
)
PIECES = (
    *HEADINGS,
    "Small effusion.",
    "65 y.o. male",
    "___",
    "Dr. Who",
    "no",
    ",",
    ";",
    "3.5",
    "(s)",
    "*",
    "_",
    "1.",
    "?",
)
REPORTS = st.lists(st.sampled_from((*PIECES, " ", "  ", "\n", "\r\n", "\n\n", "\t", "\u00a0", "\u2003"))).map("".join)


def sections(text: str) -> list[tuple[str, str]]:
    """Name of each section and what is below its heading; in brackets where it is not read."""
    return [
        (part.name if part.read else f"({part.name})", text[part.body : part.end].strip())
        for part in split_sections(text)
    ]


def read(text: str) -> str:
    return " | ".join(text[part.body : part.end].strip() for part in split_sections(text) if part.read)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n\n", "\r\n \r\n"])
def test_sections_of_a_report_in_lines(line_end) -> None:
    lines = (
        "EXAMINATION: Chest, portable.",
        "INDICATION: ___F with dyspnea, known effusion.",
        "COMPARISON: ___.",
        "TECHNIQUE: Single AP view.",
        "FINDINGS: The heart is large. Heart: enlarged.",
        "IMPRESSION: Cardiomegaly.",
    )
    assert sections(line_end.join(lines)) == [
        ("(examination)", "Chest, portable."),
        ("(indication)", "___F with dyspnea, known effusion."),
        ("(comparison)", "___."),
        ("(technique)", "Single AP view."),
        ("findings", "The heart is large. Heart: enlarged."),
        ("impression", "Cardiomegaly."),
    ]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("CLINICAL HISTORY:", "history"),
        ("Past medical history:", "history"),
        ("History of present illness:", "history"),
        ("Clinical Details :", "history"),
        ("Admitting diagnosis:", "history"),
        ("Hx:", "history"),
        ("Patient\u2019s history:", "history"),
        ("REASON FOR THIS EXAMINATION:", "indication"),
        ("Reason for x-ray:", "indication"),
        ("CLINICAL INDICATION:", "indication"),
        ("Indication for study:", "indication"),
        ("Clinical question:", "indication"),
        ("COMPARISON(S):", "comparison"),
        ("Prior studies:", "comparison"),
        ("Technique:", "technique"),
        ("VIEWS:", "technique"),
        ("PROCEDURE:", "examination"),
        ("Exam:", "examination"),
        ("TECHNIQUE/COMPARISON:", "technique"),
        ("History and indication:", "history"),
        ("FINDINGS:", "findings"),
        ("Report:", "findings"),
        ("CHEST FINDINGS:", "findings"),
        ("FINDINGS AND IMPRESSION:", "findings"),
        ("COMPARISON AND FINDINGS:", "findings"),
        ("IMPRESSION:", "impression"),
        ("Impression (preliminary):", "impression"),
        ("CONCLUSION:", "impression"),
        ("Opinion:", "impression"),
        ("INTERPRETATION:", "impression"),
        ("RECOMMENDATION:", "recommendation"),
        ("ADDENDUM:", "addendum"),
        ("**FINDINGS:**", "findings"),
        ("**FINDINGS**:", "findings"),
        ("__Findings__:", "findings"),
        ("2. FINDINGS:", "findings"),
        ("- findings:", "findings"),
        ("FINDINGS\n", "findings"),
        ("**Findings**\n", "findings"),
        ("## Clinical history\n", "history"),
        ("FINDINGS.\r\n", "findings"),
        ("1) IMPRESSION\n", "impression"),
        ("===== IMPRESSION =====\n", "impression"),
        ("REPORT\n", "findings"),
    ],
)
def test_a_heading_is_known_by_its_name_however_it_is_marked_up(heading, name) -> None:
    text = f"A line of text.\n{heading} some words"
    found = split_sections(text)
    assert (found[1].name, text[found[1].start : found[1].body]) == (name, heading.strip())


@pytest.mark.parametrize(
    "text",
    [
        "Heart: Enlarged. Lungs: Clear. Pneumothorax: None.",
        "Lines and tubes: PICC.\nPleura: effusion.\nBones: no fracture.",
        "Compared with the previous study: larger effusion.",
        "In comparison: the effusion has grown.",
        "IN COMPARISON: THE EFFUSION HAS GROWN.",
        "NO CHANGE SINCE THE PRIOR EXAM: SMALL EFFUSION.",
        "There is a long history: heart failure, effusion.",
        "Prehistory: none.",
        "Findings are those of heart failure.\nImpression of a small effusion.",
        "Impression\nof edema",
        "RADIOLOGY REPORT\nSmall effusion",
        "CHEST X-RAY\nSmall effusion",
        "At 5:30 the effusion was drained; ratio 1:2.",
        "No pneumothorax\r\nNo effusion",
        "",
        ":",
        "\n",
    ],
)
def test_what_is_no_heading_makes_no_section(text) -> None:
    assert split_sections(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Clinical history: heart failure. The lungs are clear.", "The lungs are clear."),
        ("Reason for exam: rule out effusion? There is none.", "There is none."),
        ("Indication: ?pneumonia. No consolidation.", "No consolidation."),
        ("History: Dr. Gray's patient, a 70 y.o. man with edema. Lungs clear.", "Lungs clear."),
        ("Indication: 1. Cough. No edema.", "No edema."),
        ("Comparison: 3/4. Technique: PA. Small effusion.", "PA. | Small effusion."),
        ("Prior impression: Edema.\nImpression: No edema.", "No edema."),
        ("HISTORY\n=======\nEdema\nFINDINGS\nNo edema.", "No edema."),
        ("HISTORY:\n- edema\n- pneumonia\n\nSmall effusion.", "Small effusion."),
        ("history: edema findings: small effusion impression: effusion", "small effusion | effusion"),
        ("hx: edema imp: small effusion", "small effusion"),
        ("Exam: Left effusion is larger. Heart normal.", "Left effusion is larger. | Heart normal."),
        ("Comparison: The effusion is larger than yesterday.", "The effusion is larger than yesterday."),
        ("Comparison: CT of 1.2.2020\nSmall effusion.", "Small effusion."),
        ("HISTORY: Fever. Known mass.\nNo effusion.", "No effusion."),
        ("History: heart failure,\nwith effusion\nand edema.\nNo pneumothorax.", "No pneumothorax."),
        ("HISTORY:\nHeart failure.\n\nNo effusion.", "No effusion."),
        ("INDICATION: Shortness of breath in a woman with a history of known\nCHF.\nNo edema.", "No edema."),
        ("CLINICAL HISTORY\nHeart failure\nREPORT\nNo edema.", "No edema."),
        ("RADIOLOGY REPORT\nHistory: edema. Lungs clear.", "RADIOLOGY REPORT | Lungs clear."),
        ("Small effusion. Comparison: none.", "Small effusion."),
        ("Findings: Small effusion. Comparison: none. No edema.", "Small effusion. | No edema."),
        ("IMPRESSION: Small effusion.\nHISTORY: Heart failure. Pneumonia.", "Small effusion."),
        ("HISTORY: edema.\nHeart: large.\nIMPRESSION: Large heart.", "Heart: large. | Large heart."),
        ("HISTORY: edema.\n\nLarge heart.\n\nIMPRESSION: As above.", "Large heart. | As above."),
        ("HISTORY: edema.\nKnown mass.\nIMPRESSION: Normal.", "Normal."),
        ("HISTORY: edema.\n\nKnown mass.\n\nFINDINGS: Normal.", "Normal."),
        ("HISTORY: edema.\nLINES: PICC.\nFINDINGS: Clear.", "LINES: PICC. | Clear."),
        ("FINDINGS:\nComparison: 3/4.\nSmall effusion.\nIMPRESSION: Edema.", " | Small effusion. | Edema."),
        ("FINDINGS: Comparison: 3/4. Small effusion. IMPRESSION: Edema.", " | Small effusion. | Edema."),
        ("INDICATION: COUGH COMPARISON: NONE FINDINGS: CLEAR IMPRESSION: NORMAL", "CLEAR | NORMAL"),
        ("Indication: cough Findings: clear Impression: normal", "clear | normal"),
    ],
)
def test_a_context_section_ends_where_the_report_goes_on(text, expected) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    ["History: heart failure.", "INDICATION:\nRule out effusion\n\nCOMPARISON: Edema", "Comparison:", "IMPRESSION:\n"],
)
def test_of_context_alone_and_of_empty_sections_nothing_is_read(text) -> None:
    assert read(text).strip() == ""
    assert split_sections(text)


def test_a_section_holds_its_heading_and_no_white_space_around() -> None:
    text = " 1. **FINDINGS:** Clear. \r\n\r\n 2. Impression:  Normal. \n"
    assert [text[part.start : part.end] for part in split_sections(text)] == [
        "1. **FINDINGS:** Clear.",
        "2. Impression:  Normal.",
    ]


@given(REPORTS)
def test_every_character_but_white_space_belongs_to_one_section(text: str) -> None:
    parts = split_sections(text)
    covered = [i for part in parts for i in range(part.start, part.end)]
    assert covered == sorted(set(covered))
    if parts:
        assert not "".join(c for i, c in enumerate(text) if i not in set(covered)).strip()
    for part in parts:
        assert 0 <= part.start <= part.body <= part.end <= len(text)


@given(st.text(max_size=200))
def test_any_text_can_be_cut(text: str) -> None:
    assert all(0 <= part.start < part.end <= len(text) for part in split_sections(text))


@given(REPORTS)
def test_text_without_a_heading_in_it_has_no_sections(text: str) -> None:
    assert split_sections(re.sub("[:*_]", "", text).lower()) == []


PIECES_OF_LONG_TEXTS = (":", "history:", "HISTORY: a\n\n", "History: a. ", "clinical ", "clinical :", "\n", "\n ", "*:")
PIECES_OF_LONG_TEXTS += ("(", "Heart: x. ", "FINDINGS\n", "a and b / ", "\nHeart", "_ * ", "1. ", "Dr. ")


@pytest.mark.parametrize("piece", PIECES_OF_LONG_TEXTS)
@pytest.mark.parametrize("around", ["{}", "History: {}", "{}FINDINGS:", "HISTORY: x\n{}\nIMPRESSION: y"])
def test_no_text_takes_longer_than_its_length(piece, around) -> None:
    def seconds(length: int) -> float:
        text = around.format(piece * (length // len(piece)))
        start = time.process_time()
        split_sections(text)
        return time.process_time() - start

    short, long = (min(seconds(length) for _ in range(3)) for length in (1_000, 20_000))
    assert long < max(0.5, 100 * short)  # 20 times as long; a quadratic would take 400 times
