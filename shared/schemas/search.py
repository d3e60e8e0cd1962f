"""Wire models of a search: query weights and filters in, ranked hits out."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, FiniteFloat, Tag, model_validator

from shared.labels import LABELS, LabelName
from shared.schemas.evidence import Basis, EvidenceName
from shared.schemas.images import (
    ACCEPT_ANY,
    PATIENT_SEXES,
    VIEW_POSITIONS,
    AgeYears,
    DicomUid,
    ImageId,
    LooksTurned,
    PatientId,
    PatientKey,
    PatientSex,
    Pictured,
    Probabilities,
    ReportEvidence,
    StoredMetadata,
    ViewPosition,
)
from shared.schemas.numbers import Probability, Whole
from shared.schemas.system import IndexInfo, ModelInfo

MAX_K = 1000
RankingName = Literal["label_set_posterior", "soft_jaccard", "cosine", "centered_cosine", "log_likelihood"]
DEFAULT_RANKING: RankingName = "label_set_posterior"
# By which an image is most like itself; for a query of labels the default above is better.
RANKING_BY_IMAGE: RankingName = "centered_cosine"

# A picture is compared with pictures: for one, nobody has read a report yet.
EVIDENCE_BY_IMAGE: EvidenceName = "image"

GroupBy = Literal["image", "study", "patient"]
EVIDENCE = (
    "By what an image is known: its picture and its report together, or one of them alone. With `report`, images "
    "without a report are left out."
)
MAX_OFFSET = 9000
MAX_MERGED = 100  # hits, each of which is compared with every picture
DIVERSIFIED = 1000  # so many of the best are put into a diverse order
MAX_EXCLUDED = 10_000  # of each kind


class SearchFilters(BaseModel):
    """Every condition must hold. A condition on a value that an image lacks does not hold.

    Lateral views are left out unless they are asked for, by `view_position` or `include_laterals`: the encoder reads
    frontal ones. An image whose view position is not known stays in.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"view_position": ["PA", "AP"], "age_min": 18, "excluded_labels": {"Pneumonia": 0.5}}]
        },
    )

    view_position: list[ViewPosition] | None = Field(
        default=None,
        min_length=1,
        max_length=len(VIEW_POSITIONS),
        description="Only images of these views, LATERAL too where it is named. Without it: every view but LATERAL, "
        "and images whose view is not known.",
    )
    include_laterals: bool = Field(
        default=False,
        description="Without a `view_position`: also lateral views, so that no image is left out for its view.",
    )
    patient_sex: list[PatientSex] | None = Field(default=None, min_length=1, max_length=len(PATIENT_SEXES))
    age_min: AgeYears | None = Field(default=None, description="Years, inclusive.")
    age_max: AgeYears | None = Field(default=None, description="Years, inclusive.")
    study_date_from: date | None = Field(
        default=None,
        description="Inclusive. Study dates are known of DICOM files that came while the index was set to keep them "
        "(`CHEX_KEEP_STUDY_DATE`).",
    )
    study_date_to: date | None = Field(default=None, description="Inclusive.")
    required_labels: dict[LabelName, Probability] = Field(
        default_factory=dict, description="Only images whose probability is at least this."
    )
    excluded_labels: dict[LabelName, Probability] = Field(
        default_factory=dict, description="Only images whose probability is below this."
    )
    excluded_image_ids: list[ImageId] = Field(default_factory=list, max_length=MAX_EXCLUDED, fail_fast=True)
    excluded_study_uids: list[DicomUid] = Field(default_factory=list, max_length=MAX_EXCLUDED, fail_fast=True)
    excluded_patient_ids: list[PatientId] = Field(
        default_factory=list,
        max_length=MAX_EXCLUDED,
        fail_fast=True,
        description="As the archive knows them; hashed on arrival. An id counts as sent, and without its leading "
        "zeros; a number also with zeros before it, up to 16 digits: `20564` leaves out `00020564`, and the other way.",
    )
    excluded_patient_keys: list[PatientKey] = Field(
        default_factory=list,
        max_length=MAX_EXCLUDED,
        fail_fast=True,
        description="As hits carry them in `metadata.patient_key`: 16 hex digits, in lower case.",
    )

    def exclusions(self) -> int:
        """How many ids and keys are excluded, of all kinds together."""
        named = (self.excluded_image_ids, self.excluded_study_uids)
        return sum(map(len, (*named, self.excluded_patient_ids, self.excluded_patient_keys)))

    @property
    def leaves_out_laterals(self) -> bool:
        """For no other reason than that they were not asked for."""
        return self.view_position is None and not self.include_laterals

    @property
    def asks_for_dates(self) -> bool:
        return self.study_date_from is not None or self.study_date_to is not None

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.study_date_from and self.study_date_to and self.study_date_from > self.study_date_to:
            raise ValueError("study_date_from must not be later than study_date_to")
        return self

    @model_validator(mode="after")
    def _ages_in_order(self) -> Self:
        if self.age_min is not None and self.age_max is not None and self.age_min > self.age_max:
            raise ValueError("age_min must not be greater than age_max")
        return self


class RankingOptions(BaseModel):
    """How to rank, and what of the ranking to return."""

    model_config = ConfigDict(extra="forbid")

    k: Whole = Field(default=5, ge=1, le=MAX_K, description="How many images to return at most.")
    ranking: RankingName = Field(
        default=DEFAULT_RANKING,
        description="The measure of similarity. `label_set_posterior` is the geometric mean of `exact_probability` and "
        "of a quick form of `expected_overlap`; both take into account how findings are reported together.",
    )
    binarize: bool = Field(
        default=False,
        description="Compare 0/1 labels: an image's at the encoder's thresholds, a query's above 0.5. With "
        "`cosine` this is the ranking of the original CheXRetriever notebooks.",
    )
    min_score: FiniteFloat | None = Field(default=None, description="Leave out images that score below this.")
    min_overlap: Probability | None = Field(
        default=None,
        description="Leave out images of which less `expected_overlap` with the query is to be expected; where none is "
        "left, the answer is that there is no sufficiently similar case.",
    )
    group_by: GroupBy = Field(
        default="image", description="Show each study or patient once, by its best image. Unknown ones stand alone."
    )
    merge_duplicates: bool = Field(
        default=False,
        description="Show once, by the best of them, images whose pictures are the same one: saved anew, scaled, or "
        "windowed a little differently. Not together with `group_by`, and `k` must then not exceed 100.",
    )
    diversity: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="0 orders by score alone. Above, the next of the 1,000 best images is the one with the most of "
        "(1 - diversity) · score - diversity · likeness to the most alike of the images before it: the score as a "
        "share of the pool's range, likeness as the sum of the smaller of two images' probabilities over the sum of "
        "the larger. `offset` + `k` must then not exceed 1,000.",
    )
    evidence: EvidenceName = Field(default="all", description=EVIDENCE)
    offset: Whole = Field(default=0, ge=0, le=MAX_OFFSET, description="Leave out so many of the best: the next page.")
    generation: Whole | None = Field(
        default=None,
        description="`index.generation` of the first page. Where the index has changed since, the answer is 409, not a "
        "page of another ranking.",
    )


class SearchOptions(RankingOptions):
    """How to search; shared by every call that ends in a ranking."""

    filters: SearchFilters = Field(default_factory=SearchFilters)

    @model_validator(mode="after")
    def _merged_in_one_way(self) -> Self:
        if self.merge_duplicates and self.group_by != "image":
            raise ValueError("merge_duplicates and group_by cannot be asked for together")
        if self.merge_duplicates and self.k > MAX_MERGED:
            raise ValueError(f"with merge_duplicates, k must not exceed {MAX_MERGED}")
        return self

    @model_validator(mode="after")
    def _within_the_diversified(self) -> Self:
        if self.diversity > 0 and self.offset + self.k > DIVERSIFIED:
            raise ValueError(f"with diversity, offset + k must not exceed {DIVERSIFIED}")
        return self


class ImageSearchParameters(RankingOptions):
    """What a search by image takes in its query string: everything but filters, which a form's `options` part holds."""

    ranking: RankingName = Field(default=RANKING_BY_IMAGE, description="The measure of similarity.")
    evidence: EvidenceName = Field(default=EVIDENCE_BY_IMAGE, description=EVIDENCE)
    accept_any: bool = Field(default=False, description=ACCEPT_ANY)


def _branch(labels: object) -> str | None:
    if isinstance(labels, list):
        return "<names>"
    return "<weights>" if isinstance(labels, dict) else None


LabelWeights = dict[LabelName, Probability]
LabelNames = Annotated[list[LabelName], Field(max_length=len(LABELS))]
QueryLabels = Annotated[
    Annotated[LabelWeights, Tag("<weights>")] | Annotated[LabelNames, Tag("<names>")],
    Discriminator(
        _branch,
        custom_error_type="labels",
        custom_error_message="Input should be an array of label names, or an object with a weight for each label",
    ),
]


class SearchRequest(SearchOptions):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"labels": {"Cardiomegaly": 1, "Pleural Effusion": 1}, "k": 5}, {"labels": ["Edema"]}]
        },
    )

    labels: QueryLabels = Field(
        description="Query weight of each label in [0, 1] (labels left out weigh 0), or the names to find."
    )

    def weights(self) -> dict[LabelName, float]:
        if isinstance(self.labels, list):
            return dict.fromkeys(self.labels, 1.0)
        return dict(self.labels)


class IndexHit(BaseModel):
    """One image of a ranking, best first."""

    rank: int = Field(ge=1)
    image_id: ImageId
    score: float = Field(description="Similarity under the chosen ranking, rounded to 1e-9; greater is more similar.")
    exact_probability: Probability = Field(
        description="How probable it is that the image shows exactly the query's findings, by the posterior over label "
        "sets, whatever the ranking."
    )
    expected_overlap: Probability = Field(
        description="The intersection over union to expect of the query's findings and the image's."
    )
    merged: int = Field(
        default=0,
        ge=0,
        description="With `group_by`: how many further images of this study or patient passed the filters and are not "
        "shown. With `merge_duplicates`: how many whose picture is the same one.",
    )
    probabilities: Probabilities = Field(
        description="What is to be thought of each of the 14 labels: by picture and report together, or as `evidence` "
        "asked. A label that the encoder has not learned from patients is, without a report, as probable as in general."
    )
    basis: Basis = Field(
        default="image",
        description="By what the image was ranked: its picture, its report (where nothing of what was asked for can be "
        "told from a picture, too), or both.",
    )
    image_probabilities: Probabilities = Field(description="Of the picture alone, as the encoder says.")
    report: ReportEvidence | None = Field(default=None, description="What its report says alone, if it has one.")
    report_disagrees: bool = Field(
        default=False,
        description="Picture and report tell of different findings: by the picture, those of the report are at least "
        "10 times less probable than in general. The report may be another patient's.",
    )
    disagreements: list[LabelName] = Field(default=[], description="The labels in which they then point apart.")
    matched: list[LabelName] = Field(description="In the query and, by the encoder's thresholds, in the image.")
    missed: list[LabelName] = Field(description="In the query but not in the image.")
    extra: list[LabelName] = Field(description="In the image but not in the query.")
    metadata: StoredMetadata
    pictured: Pictured = True


class Excluded(BaseModel):
    """Whether what was to be left out is in the index at all. What is not may have been mistyped."""

    asked: int = Field(ge=0, description="How many image ids, study UIDs, patient ids and patient keys were sent.")
    matched: int = Field(ge=0, description="Of how many of them the index holds an image.")
    unmatched: dict[str, int] = Field(
        description="How many left nothing out, by the filter that they were sent in.",
        examples=[{"excluded_patient_ids": 1}],
    )


class RankingSummary(BaseModel):
    """What must be known of a ranking beside its hits."""

    reason: str | None = Field(default=None, description="Why there are no hits, or fewer than k.")
    ties_at_cutoff: int = Field(
        ge=0,
        description="How many further images score exactly as the last hit and were cut off by k; with `diversity`, "
        "how many could as well have been chosen for its place.",
    )
    candidates: int = Field(ge=0, description="How many images passed the filters.")
    excluded: Excluded | None = Field(
        default=None, description="What became of the filters that leave out images, studies or patients, if any were."
    )


class SearchResult(RankingSummary):
    """A ranking, by score descending, then image_id, unless `diversity` is asked for: a pure function of query, options
    and generation.
    """

    hits: list[IndexHit]
    index: IndexInfo
    model: ModelInfo = Field(description="The image encoder.")


ChestScore = Annotated[
    Probability,
    Field(description="How much the image that was sent looks like a frontal chest radiograph; below 0.5 it does not."),
]


class ImageSearchResult(SearchResult):
    probabilities: Probabilities = Field(description="The 14 label probabilities of the image that was sent.")
    chest_score: ChestScore
    looks_turned: LooksTurned = None
