"""What the OpenAPI page says of both the gateway and the image index, and signatures cannot: files in, pictures out."""

from typing import Annotated, Any, NamedTuple

from fastapi import Path, Query
from fastapi.openapi.models import Example
from pydantic import BaseModel

from shared.schemas.images import ACCEPT_ANY, DicomUid, ImageId, ImageMetadataInput, PatientKey
from shared.schemas.search import RANKING_BY_IMAGE, SearchOptions

IMAGE_TYPES = ("image/png", "image/jpeg", "application/dicom")

SEARCH_EXAMPLES: dict[str, Example] = {
    "label names": {"value": {"labels": ["Edema", "Pleural Effusion"], "k": 5}},
    "weights and filters": {
        "value": {
            "labels": {"Cardiomegaly": 1, "Edema": 0.5},
            "k": 5,
            "filters": {"view_position": ["PA", "AP"], "age_min": 18, "excluded_labels": {"Pneumonia": 0.5}},
        }
    },
    "lateral views too": {"value": {"labels": ["Edema"], "k": 5, "filters": {"include_laterals": True}}},
    "the original project's ranking": {
        "value": {"labels": ["Cardiomegaly"], "ranking": "cosine", "binarize": True, "k": 5}
    },
}

EXAMPLE_ID = "phantom-00001"
ImageIdPath = Annotated[
    ImageId, Path(description="Letters, digits and `._:-`; a SOP Instance UID is one.", examples=[EXAMPLE_ID])
]
StudyUidPath = Annotated[DicomUid, Path(description="A Study Instance UID.", examples=["1.2.826.0.1.3680043.8.498.1"])]
PatientKeyPath = Annotated[
    PatientKey, Path(description="`metadata.patient_key` of an image.", examples=["0123456789abcdef"])
]
AcceptAny = Annotated[bool, Query(description=ACCEPT_ANY)]
Replace = Annotated[bool, Query(description="Replace what is stored under this id, in place of a 409.")]
ReplaceReport = Annotated[
    bool,
    Query(description="Take it though one was removed since it was issued, or one that was issued later is there."),
]


class FormPart(NamedTuple):
    """A part of a form that holds JSON."""

    name: str
    model: type[BaseModel]
    description: str


METADATA_PART = FormPart(
    "metadata", ImageMetadataInput, "What a PNG or JPEG cannot say of itself. What a DICOM file says counts."
)
OPTIONS_PART = FormPart(
    "options",
    SearchOptions,
    "Options of the search, filters among them. Query parameters count before these. "
    f"Without a `ranking` it is `{RANKING_BY_IMAGE}`.",
)


def image_body(*parts: FormPart) -> dict[str, Any]:
    """The `openapi_extra` of an operation that takes an image: as it is, or as a form's `file` beside JSON `parts`."""
    file = {"type": "string", "format": "binary", "description": "The image."}
    form = {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {"file": file} | {part.name: _schema_of(part) for part in parts},
        },
        "encoding": {"file": {"contentType": ", ".join(IMAGE_TYPES)}}
        | {part.name: {"contentType": "application/json"} for part in parts},
    }
    content: dict[str, Any] = {media_type: {"schema": file} for media_type in IMAGE_TYPES}
    return {"requestBody": {"required": True, "content": {**content, "multipart/form-data": form}}}


def _schema_of(part: FormPart) -> dict[str, Any]:
    schema = part.model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)  # other operations bring what it refers to into the document
    return schema | {"description": part.description}


def picture_response(media_type: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that answers with a picture."""
    return {
        200: {
            "description": "The picture.",
            "content": {media_type: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The picture is as the caller has it (`If-None-Match`)."},
    }
