"""Wire models of the text classifier: impressions in, label results out."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from shared.labels import LABELS, LabelName, State
from shared.schemas.numbers import Probability
from shared.schemas.system import ModelInfo

MAX_IMPRESSION_CHARS = 20_000
MAX_IMPRESSIONS = 64
MAX_REQUEST_CHARS = 200_000

Impression = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_IMPRESSION_CHARS)]


def check_characters(impressions: Sequence[str]) -> None:
    """Raises ValueError for more text than can be read in the time of one request."""
    characters = sum(map(len, impressions))
    if characters > MAX_REQUEST_CHARS:
        raise ValueError(
            f"the impressions have {characters:,} characters together; at most {MAX_REQUEST_CHARS:,} are read in one "
            "request, so send them in several"
        )


EXAMPLE_IMPRESSION = "Mild cardiomegaly and left pleural effusion. No pneumothorax."


class EvidenceSpan(BaseModel):
    """The characters `[start, end)` of the impression as it was sent (surrounding white space stripped)."""

    start: int = Field(ge=0, description="First character of the span, counted from 0.")
    end: int = Field(gt=0, description="One past the last character of the span.")


class LabelResult(BaseModel):
    """What the impression says of one observation."""

    probability: Probability = Field(description="Calibrated probability that the observation is present.")
    state: State = Field(description="`present`, `uncertain`, `absent` or `not_mentioned`.")
    threshold: Probability = Field(description="The observation is called present from this probability on.")
    evidence: list[EvidenceSpan] | None = Field(
        default=None, description="The words that carry the state; only where evidence was asked for and found."
    )


LabelResults = dict[LabelName, LabelResult]


class Classification(BaseModel):
    """The label result of one impression: exactly the 14 labels."""

    labels: LabelResults

    @field_validator("labels")
    @classmethod
    def _all_14(cls, labels: LabelResults) -> LabelResults:
        missing = [name for name in LABELS if name not in labels]
        if missing:
            raise ValueError(f"labels missing: {', '.join(missing)}")
        return labels


class ClassifyRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"impressions": [EXAMPLE_IMPRESSION], "evidence": True}]}
    )

    impressions: list[Impression] = Field(
        min_length=1,
        max_length=MAX_IMPRESSIONS,
        description=f"1 to {MAX_IMPRESSIONS} impressions of up to {MAX_IMPRESSION_CHARS:,} characters each, and up to "
        f"{MAX_REQUEST_CHARS:,} together; a 422 says so where they have more tokens than can be read in time.",
    )
    evidence: bool = Field(default=False, description="Also give the spans of text that carry each stated label.")

    @model_validator(mode="after")
    def _readable_in_time(self) -> Self:
        check_characters(self.impressions)
        return self


class ClassifyResponse(BaseModel):
    results: list[Classification] = Field(description="One per impression, in the order they were sent.")
    model: ModelInfo
