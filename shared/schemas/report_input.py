"""Wire models of a report as the gateway takes it: with its text, which is read and forgotten."""

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.reports import Accession, Issued
from shared.schemas.text import EXAMPLE_IMPRESSION, Impression


class ReportInput(BaseModel):
    """A report as the gateway takes it. Its text is read and forgotten."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": EXAMPLE_IMPRESSION, "issued": "2026-03-01T09:30:00Z"}]}
    )

    text: Impression = Field(description="An impression, or a whole report, in English.")
    issued: Issued | None = None


class AccessionReportInput(ReportInput, Accession):
    """A report that names its study by the accession number."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"text": EXAMPLE_IMPRESSION, "accession_number": "A0042"}]},
    )
