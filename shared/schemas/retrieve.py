"""Wire models of the gateway: an impression in, labels and ranked chest X-rays out."""

from typing import Annotated, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from shared.labels import LabelName
from shared.schemas.evidence import EvidenceName
from shared.schemas.images import ImageLinks, ImageRecord, LooksTurned, Probabilities
from shared.schemas.numbers import Probability
from shared.schemas.search import (
    EVIDENCE,
    MAX_EXCLUDED,
    ChestScore,
    IndexHit,
    RankingSummary,
    SearchOptions,
)
from shared.schemas.sections import SECTIONS, Section
from shared.schemas.studies import MOST_IMAGES, StudySummary
from shared.schemas.system import IndexInfo, ModelDetails, ModelInfo
from shared.schemas.text import (
    EXAMPLE_IMPRESSION,
    MAX_IMPRESSIONS,
    MAX_REQUEST_CHARS,
    WARNINGS,
    Impression,
    LabelResults,
    StrictLanguage,
    TextWarning,
    check_characters,
)

MAX_REQUEST_HITS = 2_000
MAX_REQUEST_EXCLUSIONS = 4 * MAX_EXCLUDED
_NAME_OR_SPANS = {"anyOf": [{"type": "string", "enum": list(get_args(EvidenceName))}, {"type": "boolean"}]}


class RetrieveRequest(SearchOptions):
    """One `impression`, or several `impressions`. Times their number, `k` must not exceed 2,000, and the number of
    excluded ids 40,000.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"impression": EXAMPLE_IMPRESSION, "k": 5},
                {"impressions": [EXAMPLE_IMPRESSION, "No acute cardiopulmonary process."], "k": 3, "spans": True},
            ]
        },
    )

    impression: Impression | None = Field(default=None, description="The free text of a report's impression.")
    impressions: list[Impression] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_IMPRESSIONS,
        description=f"Several impressions, in place of one: up to {MAX_REQUEST_CHARS:,} characters together, as "
        "for `/v1/classify`.",
    )
    uncertain_weight: Probability = Field(
        default=0.5,
        description="Weight of an uncertain finding in the query: 0 ignores it (U-zeros, as the original project), "
        "1 treats it as present (U-ones).",
    )
    evidence: Annotated[EvidenceName, WithJsonSchema(_NAME_OR_SPANS)] = Field(
        default="all", description=f"{EVIDENCE} (`true` and `false` are what `spans` was called before.)"
    )
    spans: bool = Field(default=False, description="Also give the spans of text that carry each stated label.")
    strict_language: StrictLanguage = False

    @model_validator(mode="before")
    @classmethod
    def _spans_by_their_former_name(cls, sent: object) -> object:
        if isinstance(sent, dict) and isinstance(sent.get("evidence"), bool):
            return {"spans": sent["evidence"]} | {name: value for name, value in sent.items() if name != "evidence"}
        return sent

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if (self.impression is None) == (self.impressions is None):
            raise ValueError("send either impression or impressions")
        return self

    @model_validator(mode="after")
    def _answerable_in_time(self) -> Self:
        texts = self.texts()
        check_characters(texts)
        for counted, count, most in (
            ("k", self.k, MAX_REQUEST_HITS),
            ("the number of excluded ids", self.filters.exclusions(), MAX_REQUEST_EXCLUSIONS),
        ):
            if count * len(texts) > most:
                raise ValueError(
                    f"{counted} times the number of impressions is {count * len(texts):,}, and at most {most:,} is "
                    "answered in one request: send the impressions in several"
                )
        return self

    def texts(self) -> list[str]:
        return self.impressions if self.impression is None else [self.impression]  # type: ignore[return-value]


class Hit(IndexHit):
    links: ImageLinks


class Ranking(RankingSummary):
    """A ranking as the gateway sends it: the hits with their links."""

    hits: list[Hit]


class Retrieval(Ranking):
    """The answer to one impression."""

    labels: LabelResults = Field(description="What the impression says of each of the 14 labels.")
    warnings: list[TextWarning] = Field(default=[], description=WARNINGS)
    sections: list[Section] = Field(default=[], description=SECTIONS)
    query: dict[LabelName, float] = Field(description="The weights that were searched with; labels left out weigh 0.")


class Models(BaseModel):
    text: ModelInfo | None = None
    image: ModelInfo


class GatewayResponse(BaseModel):
    request_id: str
    models: Models
    index: IndexInfo
    timings_ms: dict[str, float] = Field(description="Milliseconds spent in each part, and in total.")


class RetrieveResponse(GatewayResponse):
    results: list[Retrieval] = Field(description="One per impression, in the order they were sent.")


class SearchResponse(GatewayResponse):
    result: Ranking


class ImageSearchResponse(SearchResponse):
    probabilities: Probabilities = Field(description="The 14 label probabilities of the image that was sent.")
    chest_score: ChestScore
    looks_turned: LooksTurned = None


class Image(ImageRecord):
    links: ImageLinks


class Images(BaseModel):
    """Some of the images of the index, with their links."""

    images: list[Image]
    next_cursor: str | None = Field(description="Where the next page begins; None on the last one.")


class Study(StudySummary):
    """A study in the index, with the links of its images."""

    images: list[Image] = Field(description=f"In order of their ids, {MOST_IMAGES:,} at most.")


class InstalledModels(BaseModel):
    """The two models that answer, with all that is needed to judge them."""

    text: ModelDetails
    image: ModelDetails
