"""What is kept of a DICOM header: UIDs, view, sex, age. Never a name or a free text."""

from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.gates import text_of
from services.image_index.pictures.dicom.sequences import items_of
from services.image_index.pictures.dicom.view_codes import view_position_by_code
from services.image_index.pictures.spellings import patient_sex_of, view_position_of, within_a_life, years_of
from shared.schemas.images import DicomUid, ImageMetadata, ViewPosition

_UID: TypeAdapter[str] = TypeAdapter(DicomUid)


def metadata_of(dataset: Dataset) -> ImageMetadata:
    """A value that is missing or not as the standard writes it is left out; it never makes the file unreadable."""
    return ImageMetadata(
        view_position=_view_position(dataset),
        patient_sex=patient_sex_of(str(dataset.get("PatientSex") or "")),
        patient_age=_age(dataset),
        study_instance_uid=_uid(dataset.get("StudyInstanceUID")),
        series_instance_uid=_uid(dataset.get("SeriesInstanceUID")),
        sop_instance_uid=_uid(dataset.get("SOPInstanceUID")),
    )


def _view_position(dataset: Dataset) -> ViewPosition | None:
    """The code counts where the position says nothing that is known."""
    said = view_position_of(str(dataset.get("ViewPosition") or ""))
    if said and said != "OTHER":
        return said
    return view_position_by_code(items_of(dataset, "ViewCodeSequence"), view_position_of) or said


def _uid(value: Any) -> str | None:
    try:
        return _UID.validate_python(str(value)) if value else None
    except ValidationError:
        return None


def _age(dataset: Dataset) -> float | None:
    """Years: from PatientAge (`063Y`, `010M`, some write `62`), else from birth date to study date."""
    said = years_of(str(dataset.get("PatientAge") or ""))
    if said is not None:
        return said
    born, studied = day_of(dataset.get("PatientBirthDate")), day_of(dataset.get("StudyDate"))
    if born is None or studied is None or studied < born:
        return None
    return within_a_life((studied - born).days // 365.25)


def accession_issuer_of(dataset: Dataset) -> str | None:
    """Who gave the accession number, where the file says so: a name of the site's own, or one of the world's."""
    names = ("LocalNamespaceEntityID", "UniversalEntityID")
    said = (text_of(item, name) for item in items_of(dataset, "IssuerOfAccessionNumberSequence") for name in names)
    return next(filter(None, said), None)


def day_of(value: Any) -> date | None:
    """Of an element of VR DA, as `20200531` or as old files write it, `2020.05.31`."""
    try:
        return date.fromisoformat(str(value).strip().replace(".", ""))
    except ValueError:
        return None
