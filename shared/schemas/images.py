"""Wire models of one indexed image."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.labels import LabelName, State
from shared.schemas.numbers import Probability, Whole

ImageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
DicomUid = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)*$", max_length=64)]
PatientId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
AccessionNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
AccessionIssuer = Annotated[
    AccessionNumber,
    Field(
        description="Who gave the number (IssuerOfAccessionNumberSequence), where archives share an index. A report "
        "that names no issuer finds the study of the number, whoever gave it; one that does finds only images whose "
        "files name the same, and most name none."
    ),
]
PatientKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ViewPosition = Literal["PA", "AP", "LATERAL", "OTHER"]
QuarterTurns = Literal[90, 180, 270]
PatientSex = Literal["F", "M", "O"]
VIEW_POSITIONS: tuple[ViewPosition, ...] = get_args(ViewPosition)
PATIENT_SEXES: tuple[PatientSex, ...] = get_args(PatientSex)
AgeYears = Annotated[float, Field(ge=0, le=130)]
Probabilities = dict[LabelName, Probability]

ACCEPT_ANY = (
    "Take any picture that can be read, for research: do not ask whether it is a chest radiograph. Without it, one "
    "that does not look like a frontal chest radiograph, or whose DICOM header names another part of the body, is a "
    "422, type `urn:chexretriever:not-a-chest-radiograph`."
)


LooksTurned = Annotated[
    QuarterTurns | None,
    Field(
        description="A warning: the picture looks as if it had been turned clockwise by so many degrees; its labels "
        "are then not to be trusted. It is kept as it was sent: send it upright. None where it looks upright, of "
        "lateral views, which are not judged, and of images that were indexed before this was asked."
    ),
]


class ImageMetadata(BaseModel):
    """What is kept of a study beside its pixels. For DICOM it is read from the file; for PNG and JPEG it is sent along.

    Names and free text are never kept. A patient ID is kept only as `patient_key`, a keyed hash of it.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"view_position": "PA", "patient_sex": "F", "patient_age": 63}]}
    )

    view_position: ViewPosition | None = None
    patient_sex: PatientSex | None = None
    patient_age: AgeYears | None = Field(default=None, description="In years.")
    study_instance_uid: DicomUid | None = None
    series_instance_uid: DicomUid | None = None
    sop_instance_uid: DicomUid | None = None


class ImageMetadataInput(ImageMetadata):
    """Metadata as a client sends it; a patient ID and an accession number are hashed on arrival and then forgotten."""

    patient_id: PatientId | None = None
    accession_number: AccessionNumber | None = Field(
        default=None, description="Of the study, so that a report finds it which names it so."
    )
    accession_issuer: AccessionIssuer | None = None


class StoredMetadata(ImageMetadata):
    patient_key: str | None = Field(default=None, description="Keyed hash of the patient ID: equal for equal patients.")
    accession_key: str | None = Field(
        default=None,
        description="Keyed hash of the accession number, and behind a dot one of the number with its issuer where that "
        "is known.",
    )
    study_date: date | None = Field(default=None, description="Of a DICOM file, where the index is set to keep it.")
    frames: int | None = Field(
        default=None, description="How many frames the DICOM object has. The first one is what was indexed."
    )
    masked_regions: int | None = Field(
        default=None, description="How many regions of text were covered before anything was made of the picture."
    )
    study_invented: bool = Field(
        default=False, description="The study UID was made up to keep a table's images together: no PACS knows it."
    )
    looks_turned: LooksTurned = None


Pictured = Annotated[
    bool, Field(description="Whether there is a picture to show; not where only the probabilities were imported.")
]


class ReportEvidence(BaseModel):
    """What a report says of an image."""

    states: dict[LabelName, State] = Field(description="What the report says of each of the 14 labels.")
    probabilities: dict[LabelName, Probability] = Field(
        description="Of each label, what the report alone makes of how often reports state it. An uncertain finding "
        "speaks for neither side; one that is not mentioned is less improbable than one that is denied."
    )
    text_model_sha256: Sha256 = Field(description="SHA-256 of the weights that read it.")
    issued: AwareDatetime = Field(description="When the report was issued; where that was not said, received.")
    of: Literal["image", "study"] = Field(description="Whether it was given for this image, or for its study.")


class ImageRecord(BaseModel):
    """One image in the index."""

    image_id: ImageId
    probabilities: Probabilities = Field(description="The encoder's calibrated probability of each of the 14 labels.")
    metadata: StoredMetadata
    content_sha256: str = Field(description="SHA-256 of the file as it was sent.")
    weights_sha256: str = Field(description="SHA-256 of the encoder weights that made the probabilities.")
    generation: int = Field(description="The index generation at which this image was last written.")
    pictured: Pictured = True
    report: ReportEvidence | None = Field(
        default=None,
        description="What a report says of it: its own or its study's, whichever was issued later. None where no "
        "report is known.",
    )
    disagreements: list[LabelName] = Field(
        default=[],
        description="In a list of images whose report disagrees: the labels in which picture and report point apart.",
    )


class ImagePageParameters(BaseModel):
    """Which of the images of the index are asked for, and how many at once."""

    limit: Whole = Field(default=100, ge=1, le=1000, description="The most images of one page.")
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = Field(
        default=None, description="The `next_cursor` of the page before."
    )
    study_instance_uid: DicomUid | None = Field(default=None, description="Only images of this study.")
    series_instance_uid: DicomUid | None = Field(default=None, description="Only images of this series.")
    sop_instance_uid: DicomUid | None = Field(default=None, description="Only the image of this SOP instance.")
    content_sha256: Sha256 | None = Field(default=None, description="Only the image of the file with this SHA-256.")
    report_disagrees: bool | None = Field(
        default=None,
        description="Only images whose picture and report tell of different findings: by the picture, those of the "
        "report are at least 10 times less probable than in general. With `false`, all others.",
    )


class ImagePage(BaseModel):
    """Some of the images of the index."""

    images: list[ImageRecord]
    next_cursor: str | None = Field(default=None, description="Where the next page begins; None on the last one.")


class ImageLinks(BaseModel):
    """Absolute paths, or whole URLs where the gateway's public one is configured."""

    image: str
    thumbnail: str | None = Field(description="None where there is no picture of the image.")
    wado_rs: str | None = Field(
        default=None, description="Where the PACS serves the instance, if configured. None where a UID was made up."
    )
    viewer: str | None = Field(
        default=None, description="Opens the study in the configured viewer. None where its UID was made up."
    )
