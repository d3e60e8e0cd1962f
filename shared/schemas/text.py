"""Wire models of the text classifier: impressions in, label results out."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from typing_extensions import TypedDict

from shared.labels import LABELS, LabelName, State
from shared.schemas.numbers import Probability
from shared.schemas.sections import SECTIONS, Section
from shared.schemas.system import ModelInfo

MAX_IMPRESSION_CHARS = 20_000
MAX_IMPRESSIONS = 64
MAX_REQUEST_CHARS = 200_000


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("the text is empty or holds white space only")
    return text


Impression = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_IMPRESSION_CHARS), AfterValidator(_not_blank)
]
"""Kept as it was sent, white space and all: evidence and sections are places in it."""


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
    """The characters `[start, end)` of the impression as it was sent, white space before it included.

    A character is a Unicode code point, as Python counts: one for an emoji, which is two of JavaScript's and Java's.
    """

    start: int = Field(ge=0, description="First character (Unicode code point) of the span, counted from 0.")
    end: int = Field(gt=0, description="One past the last character of the span.")


class StateProbabilities(TypedDict):
    """How probable each of the four states is. Together 1, in steps of 0.000001."""

    present: Probability
    uncertain: Probability
    absent: Probability
    not_mentioned: Probability


class LabelResult(BaseModel):
    """What the impression says of one observation."""

    probability: Probability = Field(description="Calibrated probability that the observation is present.")
    state: State = Field(description="`present`, `uncertain`, `absent` or `not_mentioned`.")
    state_probabilities: StateProbabilities = Field(
        description="The probability of each state; `present` is `probability`. Sort by `present` for what is most "
        "surely there, by `uncertain` for what is most in doubt, by `absent` for what is most surely denied. A model "
        "that knows present or not only gives `uncertain` and `absent` 0 and `not_mentioned` the rest."
    )
    threshold: Probability = Field(description="The observation is called present from this probability on.")
    evidence: list[EvidenceSpan] | None = Field(
        default=None, description="The words that carry the state; only where evidence was asked for and found."
    )


LabelResults = dict[LabelName, LabelResult]


class TextWarning(BaseModel):
    """Why the labels of a text may not be what was hoped for."""

    code: Literal["not_english", "nothing_stated"] = Field(
        description="`not_english`: the text, or a passage of it, is in another language, and only English is read. "
        "`nothing_stated`: all 14 observations are `not_mentioned`."
    )
    language: str | None = Field(
        default=None,
        description="With `not_english`, what the language seems to be: ISO 639-1, or `und` where it cannot be told.",
    )
    message: str = Field(description="The same for people.")


WARNINGS = "What to know before relying on the labels; mostly nothing."
StrictLanguage = Annotated[
    bool, Field(description="Answer 422 where an impression is not in English, in place of a warning.")
]


class Classification(BaseModel):
    """The label result of one impression: exactly the 14 labels."""

    labels: LabelResults
    warnings: list[TextWarning] = Field(default=[], description=WARNINGS)
    sections: list[Section] = Field(default=[], description=SECTIONS)

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
    strict_language: StrictLanguage = False

    @model_validator(mode="after")
    def _readable_in_time(self) -> Self:
        check_characters(self.impressions)
        return self


class ClassifyResponse(BaseModel):
    results: list[Classification] = Field(description="One per impression, in the order they were sent.")
    model: ModelInfo
