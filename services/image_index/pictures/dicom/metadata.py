"""What is kept of a DICOM header: UIDs, view, sex, age. Never a name or a free text."""

import re
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydicom.dataset import Dataset

from shared.schemas.images import DicomUid, ImageMetadata, PatientSex, ViewPosition

_VIEWS: dict[str, ViewPosition] = {
    "PA": "PA",
    "AP": "AP",
    "LL": "LATERAL",
    "RL": "LATERAL",
    "LAT": "LATERAL",
    "LATERAL": "LATERAL",
}
_SEXES: dict[str, PatientSex] = {"F": "F", "M": "M", "O": "O"}
_AGE = re.compile(r"(\d{1,3})([DWMY]?)")
_UNITS_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1, "": 1}
_UID: TypeAdapter[str] = TypeAdapter(DicomUid)


def metadata_of(dataset: Dataset) -> ImageMetadata:
    """A value that is missing or not as the standard writes it is left out; it never makes the file unreadable."""
    view = str(dataset.get("ViewPosition") or "").strip().upper()
    return ImageMetadata(
        view_position=_VIEWS.get(view, "OTHER") if view else None,
        patient_sex=_SEXES.get(str(dataset.get("PatientSex") or "").strip().upper()),
        patient_age=_age(dataset),
        study_instance_uid=_uid(dataset.get("StudyInstanceUID")),
        series_instance_uid=_uid(dataset.get("SeriesInstanceUID")),
        sop_instance_uid=_uid(dataset.get("SOPInstanceUID")),
    )


def _uid(value: Any) -> str | None:
    try:
        return _UID.validate_python(str(value)) if value else None
    except ValidationError:
        return None


def _age(dataset: Dataset) -> float | None:
    """Years: from PatientAge (`063Y`, `010M`, some write `62`), else from birth date to study date."""
    match = _AGE.fullmatch(str(dataset.get("PatientAge") or "").strip().upper())
    if match:
        years = int(match[1]) / _UNITS_PER_YEAR[match[2]]
    else:
        born, studied = day_of(dataset.get("PatientBirthDate")), day_of(dataset.get("StudyDate"))
        if born is None or studied is None or studied < born:
            return None
        years = (studied - born).days // 365.25
    return round(years, 2) if years <= 130 else None


def day_of(value: Any) -> date | None:
    """Of an element of VR DA, as `20200531` or as old files write it, `2020.05.31`."""
    try:
        return date.fromisoformat(str(value).strip().replace(".", ""))
    except ValueError:
        return None
