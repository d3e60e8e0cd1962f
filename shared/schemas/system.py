"""Wire models that describe the system itself: models, index, health, problems."""

from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.labels import LabelName


class ModelInfo(BaseModel):
    """Which weights gave an answer."""

    name: str = Field(description="Name from the model folder's configuration.")
    version: str
    weights_sha256: str = Field(description="SHA-256 of the weights file, in hex.")
    engine: str = Field(description="`onnxruntime` or `torch`.")
    device: str = Field(description="`cpu` or `cuda`.")


class PictureInput(BaseModel):
    """How a picture is made ready: a square, then (grey - mean) / std in each channel, grey from 0 to 1."""

    size: int = Field(description="Side of the square in pixels.")
    channels: int = Field(description="More than one: the same grey picture in each.")
    mean: list[float]
    std: list[float]


BurnedInPolicy = Literal["refuse", "mask", "allow"]


class BurnedIn(BaseModel):
    """What becomes of a picture with text in it that could name the patient."""

    policy: BurnedInPolicy = Field(
        description="`refuse`: a 422; `mask`: the text is covered; `allow`: nobody looks for text."
    )
    reader_installed: bool = Field(
        description="Whether the extra `ocr` is installed, without which no text is found and `allow` is all there is."
    )


class ModelDetails(ModelInfo):
    """A model with all that is needed to judge its answers."""

    labels: list[LabelName] = Field(description="The label set, in the order of the model's outputs.")
    thresholds: dict[LabelName, float] = Field(description="A label is called present from this probability on.")
    label_support: dict[LabelName, str] = Field(
        default_factory=dict,
        description="What each label was learned from, for example `real` or `phantom`. A label with `none` is not "
        "known: the model says the same of it whatever it is shown.",
    )
    unproven: list[LabelName] = Field(
        default_factory=list,
        description="Of an image encoder: the labels that are unproven on patients, because it learned them from "
        "phantoms alone or not at all. Where a model does not say what it learned a label from, as imported "
        "predictions and most models of other people, the label is not named here.",
    )
    architecture: str | None = None
    input: PictureInput | None = Field(default=None, description="Of an image encoder only.")
    calibrated: bool | None = Field(
        default=None, description="False: probabilities are the sigmoid of the network's own logits, and no more."
    )
    burned_in: BurnedIn | None = Field(default=None, description="Of the image index only.")
    intended_use: str


class IndexInfo(BaseModel):
    """The state of the image index that gave an answer."""

    size: int = Field(ge=0, description="Number of images in the index.")
    generation: int = Field(ge=0, description="Counts every acknowledged change; equal generations hold equal images.")
    engine: str = Field(description="The store behind the index.")
    weights_sha256: str = Field(description="SHA-256 of the encoder weights that made every vector in the index.")


class ReportCounts(BaseModel):
    """What is known by reports."""

    images: int = Field(ge=0, description="Images for which a report counts.")
    waiting: int = Field(ge=0, description="Reports of which no image is there yet.")
    images_by_text_model: dict[str, int] = Field(
        description="The images again, by the SHA-256 of the weights that read their reports."
    )


class FitDescription(BaseModel):
    """What the ranking learned from the site's own reports (`calibrate`)."""

    images: int = Field(ge=0, description="Images with a report that it was learned from.")
    patients: int = Field(ge=0, description="Of how many patients.")
    made: AwareDatetime
    silent: list[LabelName] = Field(
        description="Labels of which pictures were found to tell no more than how often reports state them: they count "
        "in the ranking by reports alone."
    )


class IndexDescription(IndexInfo):
    """The state of the index, with what takes a while to count."""

    reports: ReportCounts
    fit: FitDescription | None = Field(default=None, description="Null: the ranking is the default one.")


class Check(BaseModel):
    """One thing that must hold before the system is ready."""

    part: str
    ready: bool
    writes: bool | None = Field(
        default=None,
        description="False: what is there is found, but nothing new can be kept. None: nothing is kept here.",
    )
    detail: str | None = None


class Health(BaseModel):
    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    status: Literal["ready", "not_ready"]
    writes: bool | None = Field(
        default=None,
        description="Whether images can be put in and deleted, where that is known; searches go on without.",
    )
    checks: list[Check]

    @classmethod
    def of(cls, checks: list[Check]) -> Self:
        known = [check.writes for check in checks if check.writes is not None]
        return cls(
            status="ready" if all(check.ready for check in checks) else "not_ready",
            writes=all(known) if known else None,
            checks=checks,
        )


class FieldError(BaseModel):
    field: str = Field(description="Where in the request, as a dotted path.")
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details, sent as `application/problem+json`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:chexretriever:invalid-input",
                    "title": "Input not valid",
                    "status": 422,
                    "detail": "One field is not valid.",
                    "request_id": "6f1f6df1a8b64b6f9d9c6f9f7a4f3a11",
                    "errors": [{"field": "body.k", "message": "Input should be less than or equal to 1000"}],
                }
            ]
        }
    )

    type: str = Field(description="Stable identifier of the kind of problem.")
    title: str
    status: int
    detail: str = Field(description="What to fix, or what to wait for.")
    request_id: str | None = None
    part: str | None = Field(default=None, description="The part of the system that failed.")
    errors: list[FieldError] | None = None
