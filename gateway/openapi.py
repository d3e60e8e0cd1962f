"""What the OpenAPI page says that signatures cannot: bodies that are files, errors of services, examples."""

from typing import Any

from fastapi.openapi.models import Example
from pydantic import BaseModel

from shared.errors import (
    BadRequest,
    DeadlineExceeded,
    InvalidInput,
    Overloaded,
    PayloadTooLarge,
    ServiceError,
    Unavailable,
    UpstreamFailed,
)
from shared.problems import documented
from shared.schemas.text import EXAMPLE_IMPRESSION

IMAGE_TYPES = ("image/png", "image/jpeg", "application/dicom")
TAGS = [
    {"name": "retrieval", "description": "Ask: by an impression, by labels, by an image."},
    {"name": "images", "description": "Keep the index: put images in, look at them, take them out."},
    {"name": "system", "description": "What is running, and whether it is well."},
]
TWO_IMPRESSIONS = [EXAMPLE_IMPRESSION, "No acute cardiopulmonary process."]

RETRIEVE_EXAMPLES: dict[str, Example] = {
    "one impression": {"value": {"impression": EXAMPLE_IMPRESSION, "k": 5}},
    "several, with evidence": {"value": {"impressions": TWO_IMPRESSIONS, "k": 3, "evidence": True}},
    "adults, frontal views only": {
        "value": {
            "impression": EXAMPLE_IMPRESSION,
            "filters": {"view_position": ["PA", "AP"], "age_min": 18, "excluded_labels": {"Pneumonia": 0.5}},
        }
    },
}
CLASSIFY_EXAMPLES: dict[str, Example] = {
    "two impressions": {"value": {"impressions": TWO_IMPRESSIONS, "evidence": True}},
}
SEARCH_EXAMPLES: dict[str, Example] = {
    "label names": {"value": {"labels": ["Edema", "Pleural Effusion"], "k": 5}},
    "weights": {"value": {"labels": {"Cardiomegaly": 1, "Edema": 0.5}, "k": 5, "min_score": 0.2}},
    "the original project's ranking": {
        "value": {"labels": ["Cardiomegaly"], "ranking": "cosine", "binarize": True, "k": 5}
    },
}


def service_errors(*more: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """The errors of every call that a service answers, and `more`."""
    return documented(Overloaded, UpstreamFailed, Unavailable, DeadlineExceeded, *more)


def body_errors(*more: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """The same for a call that carries a body."""
    return service_errors(BadRequest, PayloadTooLarge, InvalidInput, *more)


def image_body(part: str, model: type[BaseModel], description: str) -> dict[str, Any]:
    """The request body of an operation that takes an image: as it is, or as `file` in a form beside a JSON `part`."""
    part_schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    part_schema.pop("$defs", None)  # other operations bring what it refers to into the document
    binary = {"schema": {"type": "string", "format": "binary"}}
    form = {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {
                "file": {"type": "string", "format": "binary", "description": "The image."},
                part: part_schema | {"description": description},
            },
        },
        "encoding": {"file": {"contentType": ", ".join(IMAGE_TYPES)}, part: {"contentType": "application/json"}},
    }
    return {
        "requestBody": {
            "required": True,
            "content": {**dict.fromkeys(IMAGE_TYPES, binary), "multipart/form-data": form},
        }
    }


def picture_response(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {
            "description": "The picture.",
            "content": {media_type: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The picture is as the caller has it (`If-None-Match`)."},
    }
