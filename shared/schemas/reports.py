"""Wire models of a report as evidence: what it says of the 14 labels, and never a word of it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from shared.labels import LABELS, LabelName, State
from shared.schemas.images import AccessionIssuer, AccessionNumber, Sha256
from shared.schemas.numbers import Probability

_CLOCKS_DIFFER = timedelta(days=1)
_FIRST_RADIOGRAPH = datetime(1895, 11, 8, tzinfo=UTC)


def _possible(issued: datetime) -> datetime:
    if issued > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise ValueError("issued lies in the future: every report until then would count as an earlier one")
    if issued < _FIRST_RADIOGRAPH:
        raise ValueError("issued lies before the first radiograph was taken: leave it out where it is not known")
    return issued


Issued = Annotated[
    AwareDatetime,
    AfterValidator(_possible),
    Field(
        description="When the report was issued, with its offset from UTC: of two reports, the one issued later "
        "counts. Without it, the moment at which it is received.",
        examples=["2026-03-01T09:30:00+01:00"],
    ),
]


class Accession(BaseModel):
    """How a report names its study where it knows no UID; hashed on arrival and then forgotten."""

    accession_number: AccessionNumber
    accession_issuer: AccessionIssuer | None = None


class ReportLabels(BaseModel):
    """What the text classifier read in a report, on its way to the index: exactly the 14 labels."""

    model_config = ConfigDict(extra="forbid")

    states: dict[LabelName, State]
    probabilities: dict[LabelName, Probability] = Field(description="That the label is present, by the text model.")
    text_model_sha256: Sha256
    issued: Issued | None = None

    @model_validator(mode="after")
    def _all_14(self) -> Self:
        missing = [name for name in LABELS if name not in self.states or name not in self.probabilities]
        if missing:
            raise ValueError(f"labels missing: {', '.join(missing)}")
        return self


class AccessionReportLabels(ReportLabels, Accession):
    """The same, of a study that is named by its accession number."""

    model_config = ConfigDict(extra="forbid")


ReportOutcomeName = Literal["stored", "replaced", "unchanged", "outdated", "waiting"]


class ReportAnswer(BaseModel):
    """What became of a report."""

    outcome: ReportOutcomeName = Field(
        description="`stored`; `replaced` an earlier one; `unchanged`, it was there already; `outdated`, one issued "
        "later is there and stays; `waiting`, stored until an image comes that it belongs to."
    )
    images: int = Field(
        ge=0,
        description="For how many images of the index the study's or image's report counts now; 0 while it waits for "
        "them, or where each has one of its own that was issued later.",
    )
    states: dict[LabelName, State] = Field(description="What was read in it.")
    probabilities: dict[LabelName, Probability] = Field(description="That each label is present, by the text model.")
    text_model_sha256: Sha256
