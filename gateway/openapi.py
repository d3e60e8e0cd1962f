"""What the OpenAPI page says that signatures cannot: errors of services, examples."""

from typing import Any

from fastapi.openapi.models import Example

from shared.errors import (
    DeadlineExceeded,
    IdempotencyKeyReused,
    Overloaded,
    ServiceError,
    StillAtWork,
    Unavailable,
    UpstreamFailed,
)
from shared.schemas.report_input import ReportInput
from shared.schemas.text import EXAMPLE_IMPRESSION
from shared.web.documented import Responses, documented

TAGS = [
    {"name": "retrieval", "description": "Ask: by an impression, by labels, by an image."},
    {"name": "images", "description": "Keep the index: put images in, look at them, take them out."},
    {"name": "studies", "description": "A study as a whole; what is to be forgotten of a patient."},
    {"name": "reports", "description": "What reports say of images: evidence beside what the encoder sees in them."},
    {"name": "system", "description": "What is running, and whether it is well."},
]
TWO_IMPRESSIONS = [EXAMPLE_IMPRESSION, "No acute cardiopulmonary process."]

RETRIEVE_EXAMPLES: dict[str, Example] = {
    "one impression": {"value": {"impression": EXAMPLE_IMPRESSION, "k": 5}},
    "several, with evidence": {"value": {"impressions": TWO_IMPRESSIONS, "k": 3, "evidence": True}},
    "English or nothing": {"value": {"impression": EXAMPLE_IMPRESSION, "strict_language": True}},
    "adults, frontal views only": {
        "value": {
            "impression": EXAMPLE_IMPRESSION,
            "filters": {"view_position": ["PA", "AP"], "age_min": 18, "excluded_labels": {"Pneumonia": 0.5}},
        }
    },
}
WHOLE_REPORT = (
    "INDICATION: Known heart failure.\nCOMPARISON: None.\nFINDINGS: The heart is enlarged. Small left effusion.\n"
    "IMPRESSION: Cardiomegaly with a small left pleural effusion. No edema."
)
CLASSIFY_EXAMPLES: dict[str, Example] = {
    "two impressions": {"value": {"impressions": TWO_IMPRESSIONS, "evidence": True}},
    "one in Spanish, which gets a warning": {
        "value": {"impressions": [EXAMPLE_IMPRESSION, "Derrame pleural izquierdo. No se observa neumotórax."]}
    },
    "a whole report": {"value": {"impressions": [WHOLE_REPORT]}},
}


ISSUED = {"text": WHOLE_REPORT, "issued": "2026-03-01T09:30:00+01:00"}
ACCESSION_EXAMPLES: dict[str, Example] = {
    "an impression": {"value": {"text": EXAMPLE_IMPRESSION, "accession_number": "A0042"}},
    "a whole report, and who gave the number": {
        "value": {**ISSUED, "accession_number": "A0042", "accession_issuer": "Hospital A"}
    },
}
ACCESSION_NAMED_EXAMPLES: dict[str, Example] = {"a number": {"value": {"accession_number": "A0042"}}}
PATIENT_EXAMPLES: dict[str, Example] = {"a patient": {"value": {"patient_id": "00020564"}}}
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "description": "An impression, or a whole report."}
REPORT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/plain": {
                "schema": _TEXT,
                "examples": {"an impression": {"value": EXAMPLE_IMPRESSION}, "a report": {"value": WHOLE_REPORT}},
            },
            "application/json": {
                "schema": ReportInput.model_json_schema(),
                "examples": {"an impression": {"value": {"text": EXAMPLE_IMPRESSION}}, "a report": {"value": ISSUED}},
            },
        },
    }
}


def with_report_part(body: dict[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of an operation whose form may hold a report."""
    form = body["requestBody"]["content"]["multipart/form-data"]
    description = "The report of the image, in English: its text, or with `issued` as JSON in `application/json`."
    form["schema"]["properties"]["report"] = _TEXT | {"description": description}
    form["encoding"]["report"] = {"contentType": "text/plain, application/json"}
    return body


REPEATED: tuple[type[ServiceError], ...] = (IdempotencyKeyReused, StillAtWork)
"""The errors of a call that takes an Idempotency-Key."""


def service_errors(*more: type[ServiceError]) -> Responses:
    """The errors of every call that a service answers, and `more`."""
    return documented(Overloaded, UpstreamFailed, Unavailable, DeadlineExceeded, *more)
