import pytest

from services.image_index.pictures.spellings import patient_sex_of, view_position_of, years_of

VIEWS = {
    "PA": "PA",
    " ap ": "AP",
    "AP SUPINE": "AP",
    "Chest PA": "PA",
    "['PA', 'PA']": "PA",
    "Postero-Anterior": "PA",
    **dict.fromkeys(("LAT", "Lateral", "LL", "LLAT", "l lat", "CHEST LAT", "LAT ERECT", "LATERO-LATERAL"), "LATERAL"),
    **dict.fromkeys(("LAO", "['LAT', 'PA']", "AP LORDOTIC", "LEFT LATERAL DECUBITUS", "LEFT", "1"), "OTHER"),
    "": None,
}
SEXES = {"F": "F", "female": "F", "Male": "M", "O": "O", "?": None, "": None}
AGES = {"63": 63, "63.0": 63, "063Y": 63, "011M": 0.92, "003D": 0.01, "026W": 0.5, "131Y": None, "old": None}


@pytest.mark.parametrize("said", VIEWS)
def test_a_view_is_understood_however_it_is_written(said: str) -> None:
    assert view_position_of(said) == VIEWS[said]


@pytest.mark.parametrize("said", SEXES)
def test_a_sex_is_understood_however_it_is_written(said: str) -> None:
    assert patient_sex_of(said) == SEXES[said]


@pytest.mark.parametrize("said", AGES)
def test_an_age_is_understood_however_it_is_written(said: str) -> None:
    assert years_of(said) == AGES[said]
