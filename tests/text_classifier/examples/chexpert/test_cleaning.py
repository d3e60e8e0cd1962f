import pytest

from services.text_classifier.examples.chexpert.cleaning import cleaned


@pytest.mark.parametrize(
    ("impression", "original"),
    [
        ("\n1.  Small LEFT effusion (new).\n2) No edema!\n3 - Stable.", "small left effusion new. no edema stable."),
        ("1. 1.5 cm nodule; 10/12 ribs, 50%", "1.5 cm nodule 10/12 ribs, 50%"),
        ("T4. 2 - 3 cm opacity, x-ray of 3. June", "t4. 2 - 3 cm opacity, x-ray of 3. june"),
        ("1.No change. 2.Clear.", "no change. clear."),
        ("Impression: 1. Œdème\u00a0 12.", "impression dme 12."),
        (" \n ", ""),
    ],
)
def test_the_originals_cleaning_drops_case_list_numbers_and_signs_and_no_measurement(impression, original):
    assert cleaned(impression, "original") == original


def test_else_white_space_alone_is_folded():
    assert cleaned(" 1.  Small LEFT\n\neffusion (new).\t", "fold") == "1. Small LEFT effusion (new)."
