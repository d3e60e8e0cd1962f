"""Wire models of a study as a whole, and of what is to be forgotten of a patient."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.images import DicomUid, ImageRecord, PatientId, ReportEvidence
from shared.schemas.reports import Accession

MOST_IMAGES = 1000
"""Of one study in one answer; `GET /v1/images?study_instance_uid=` has them page by page."""


class StudySummary(BaseModel):
    """What is known of a study beside its images."""

    study_instance_uid: DicomUid
    study_date: date | None = Field(
        default=None, description="The earliest of its images', where the index is set to keep study dates."
    )
    size: int = Field(ge=0, description="How many of its images the index holds; 0 while its report waits for them.")
    report: ReportEvidence | None = Field(default=None, description="What the study's report says, if it has one.")


class StudyRecord(StudySummary):
    """A study in the index."""

    images: list[ImageRecord] = Field(description=f"In order of their ids, {MOST_IMAGES:,} at most.")


class Patient(BaseModel):
    """Whom to forget. The patient ID is hashed on arrival and then forgotten."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"patient_id": "00020564"}]})

    patient_id: PatientId = Field(
        description="As the archive knows it; it counts with and without leading zeros, as in `excluded_patient_ids`."
    )


class Removed(BaseModel):
    """What is gone."""

    images: int = Field(ge=0, description="How many images were removed; 0 where there were none.")
    patient_key: str = Field(description="The hash that stands for the patient.")


class AccessionNamed(Accession):
    """Whose report to forget."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"accession_number": "A0042"}]})
