"""What the OpenAPI page says that signatures cannot: errors of services, examples."""

from fastapi.openapi.models import Example

from shared.errors import DeadlineExceeded, Overloaded, ServiceError, Unavailable, UpstreamFailed
from shared.schemas.text import EXAMPLE_IMPRESSION
from shared.web.documented import Responses, documented

TAGS = [
    {"name": "retrieval", "description": "Ask: by an impression, by labels, by an image."},
    {"name": "images", "description": "Keep the index: put images in, look at them, take them out."},
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


def service_errors(*more: type[ServiceError]) -> Responses:
    """The errors of every call that a service answers, and `more`."""
    return documented(Overloaded, UpstreamFailed, Unavailable, DeadlineExceeded, *more)
