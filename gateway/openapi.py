"""What the OpenAPI page says that signatures cannot: errors of services, examples."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.openapi.models import Example

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
from shared.openapi import ACCEPT_ANY
from shared.problems import documented
from shared.schemas.text import EXAMPLE_IMPRESSION

AcceptAny = Annotated[bool, Query(description=ACCEPT_ANY)]
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


def service_errors(*more: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """The errors of every call that a service answers, and `more`."""
    return documented(Overloaded, UpstreamFailed, Unavailable, DeadlineExceeded, *more)


def body_errors(*more: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """The same for a call that carries a body."""
    return service_errors(BadRequest, PayloadTooLarge, InvalidInput, *more)
