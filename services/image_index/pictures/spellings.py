"""How DICOM headers and the tables of archives write view position, sex and age."""

import re

from shared.schemas.images import PatientSex, ViewPosition

OLDEST = 130  # years; more is a slip of the pen
_VIEWS: dict[str, ViewPosition] = {
    "PA": "PA",
    "AP": "AP",
    "POSTERO-ANTERIOR": "PA",
    "POSTEROANTERIOR": "PA",
    "ANTERO-POSTERIOR": "AP",
    "ANTEROPOSTERIOR": "AP",
    "LL": "LATERAL",
    "RL": "LATERAL",
    "LAT": "LATERAL",
    "LATERAL": "LATERAL",
    "LEFT LATERAL": "LATERAL",
    "RIGHT LATERAL": "LATERAL",
}
_SEXES: dict[str, PatientSex] = {"F": "F", "FEMALE": "F", "M": "M", "MALE": "M", "O": "O", "OTHER": "O"}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([DWMY]?)")
_UNITS_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1, "": 1}


def view_position_of(text: str) -> ViewPosition | None:
    """OTHER for a view that is none of ours; None where nothing is said."""
    view = text.strip().upper()
    return _VIEWS.get(view, "OTHER") if view else None


def patient_sex_of(text: str) -> PatientSex | None:
    return _SEXES.get(text.strip().upper())


def years_of(text: str) -> float | None:
    """`63`, `63.0`, `063Y`, `011M`, `003D`; None for what is no age."""
    match = _AGE.fullmatch(text.strip().upper())
    return within_a_life(float(match[1]) / _UNITS_PER_YEAR[match[2]]) if match else None


def within_a_life(years: float) -> float | None:
    return round(years, 2) if years <= OLDEST else None
