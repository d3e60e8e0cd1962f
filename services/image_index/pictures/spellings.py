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
    "LLAT": "LATERAL",
    "RLAT": "LATERAL",
    "LATERAL": "LATERAL",
    "LATERO-LATERAL": "LATERAL",
    "LATEROLATERAL": "LATERAL",
}
# What may stand beside a view. Not DECUBITUS: "left lateral decubitus" is a frontal view of a patient who lies.
_BESIDE_TEXT = """
    BEDSIDE CHEST ERECT FRONTAL L LEFT PORTABLE R RIGHT SEATED SEMI-ERECT SEMIERECT SITTING STANDING SUPINE THORAX
    UPRIGHT VIEW
"""
_BESIDE = frozenset(_BESIDE_TEXT.split())
_WORD = re.compile(r"[A-Z]+(?:-[A-Z]+)*")
_SEXES: dict[str, PatientSex] = {"F": "F", "FEMALE": "F", "M": "M", "MALE": "M", "O": "O", "OTHER": "O"}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([DWMY]?)")
_UNITS_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1, "": 1}


def view_position_of(text: str) -> ViewPosition | None:
    """OTHER for a view that is none of ours, or several; None where nothing is said."""
    view = text.strip().upper()
    if not view:
        return None
    words = [word for word in _WORD.findall(view) if word not in _BESIDE]
    views = {_VIEWS.get(word, "OTHER") for word in words}
    return views.pop() if len(views) == 1 else "OTHER"


def patient_sex_of(text: str) -> PatientSex | None:
    return _SEXES.get(text.strip().upper())


def years_of(text: str) -> float | None:
    """`63`, `63.0`, `063Y`, `011M`, `003D`; None for what is no age."""
    match = _AGE.fullmatch(text.strip().upper())
    return within_a_life(float(match[1]) / _UNITS_PER_YEAR[match[2]]) if match else None


def within_a_life(years: float) -> float | None:
    return round(years, 2) if years <= OLDEST else None
