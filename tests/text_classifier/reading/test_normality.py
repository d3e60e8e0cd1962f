import pytest

from services.text_classifier.reading.normality import normality_spans


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("No acute cardiopulmonary disease.", ["No acute cardiopulmonary disease."]),
        ("The lungs are clear, and the heart is large.", ["The lungs are clear, and the heart is large."]),
        ("Right PICC in the SVC, lungs clear, no pneumothorax.", ["lungs clear,", "no pneumothorax."]),
        ("ETT in normal position.", []),
        ("Sternotomy wires are intact.", []),
        ("Stable appearance of the chest.", []),
        ("", []),
    ],
)
def test_normality_is_cited_without_devices(sentence, expected) -> None:
    spans = normality_spans(sentence, (0, len(sentence)))
    assert [sentence[start:end] for start, end in spans] == expected
