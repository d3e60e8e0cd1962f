"""Errors in the OpenAPI document: each status with problems of its own as examples."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI

from shared.errors import (
    BadRequest,
    BurnedInText,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    IdempotencyKeyReused,
    InferenceFailed,
    InvalidInput,
    Misdirected,
    NotAChestRadiograph,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    RateLimited,
    RequestTimeout,
    ServiceError,
    StillAtWork,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    UpstreamFailed,
)
from shared.schemas.system import FieldError, Problem
from shared.web.json_body import BODY_ENDED, JSON_WANTED
from shared.web.problems import PROBLEM_TYPE, problem_of

Responses = dict[int | str, dict[str, Any]]

_EXAMPLES: tuple[ServiceError, ...] = (
    BadRequest("Send one key or token: in the header Authorization (Bearer) or in X-API-Key, once."),
    BurnedInText(
        "The picture seems to hold text that could name the patient, at 2-45 % of its width and 1-4 % of its height."
    ),
    Conflict("Another image is stored under this id. Send replace=true to put this one in its place."),
    DeadlineExceeded("The image-index did not answer in time.", part="image-index"),
    Forbidden("This call takes the right `ingest`, which the key or token does not give."),
    IdempotencyKeyReused("This Idempotency-Key came before with another request. Nothing was done: send a new key."),
    InferenceFailed("The model could not process this input.", part="text-classifier"),
    Misdirected(
        "Without any key this gateway answers only to the names localhost, 127.0.0.1 or [::1]. Make a key for others."
    ),
    NotAChestRadiograph("The picture scores 0.03 as a frontal chest radiograph; 0.50 is the least that is accepted."),
    NotFound("There is no image with this id."),
    Overloaded("Too many requests wait already; send this again later.", part="text-classifier"),
    RateLimited("This key may send 60 requests a minute; send this again later."),
    Unauthenticated("The token has expired."),
    StillAtWork("The request with this Idempotency-Key is still at work: send it again for its answer."),
    Unavailable("The text-classifier cannot be reached.", part="text-classifier"),
    UpstreamFailed("The image-index failed; the logs tell more under this request id.", part="image-index"),
)
# What every call refuses, and what every call that carries JSON or an image refuses.
_TOO_SLOW = RequestTimeout("The body did not arrive in time: send it whole, without long pauses.")
_INVALID = InvalidInput("One field is not valid; see errors.")
_UNKNOWN_QUERY = FieldError(field="query.limit", message="Unknown query parameter; this call takes none.")
_OUT_OF_RANGE = FieldError(field="body.k", message="Input should be less than or equal to 1000")
_OF_JSON = (
    BadRequest(BODY_ENDED),
    _TOO_SLOW,
    PayloadTooLarge("The body must not be longer than 2,097,152 bytes."),
    UnsupportedMediaType(JSON_WANTED),
)
_OF_IMAGES = (
    BadRequest(BODY_ENDED),
    _TOO_SLOW,
    PayloadTooLarge("The body must not be longer than 68,157,440 bytes."),
    UnsupportedMediaType("The file is neither DICOM nor PNG nor JPEG."),
)


def documented(*errors: type[ServiceError]) -> Responses:
    """The `responses=` of a route that can end in these errors. Those of one status are told apart by `type`.

    What `describe_problems` says of every call, and of every call with a body, is left out here.
    """
    responses: Responses = {}
    _add(responses, (example for example in _EXAMPLES if isinstance(example, errors)))
    return responses


def describe_problems(app: FastAPI) -> None:
    """Put problem+json into the OpenAPI document in place of FastAPI's own validation error."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for operation in (operation for path in document["paths"].values() for operation in path.values()):
            _describe_refusals(operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _describe_refusals(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if PROBLEM_TYPE not in responses.get("422", {}).get("content", {}):
        responses.pop("422", None)  # FastAPI's own
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        _add(responses, _OF_JSON if list(content) == ["application/json"] else _OF_IMAGES)
    _add(responses, [_INVALID], _OUT_OF_RANGE if "application/json" in content else _UNKNOWN_QUERY)
    operation["responses"] = dict(sorted(responses.items()))


def _add(responses: Responses, errors: Iterable[ServiceError], field: FieldError | None = None) -> None:
    for error in errors:
        problem = problem_of(error)
        problem.request_id = "6f1f6df1a8b64b6f9d9c6f9f7a4f3a11"
        problem.errors = None if field is None else [field]
        response = responses.setdefault(str(error.status), _no_errors_yet())
        response["description"] = "; or: ".join(filter(None, (response["description"], error.title)))
        examples = response["content"][PROBLEM_TYPE]["examples"]
        examples[error.type.rpartition(":")[2]] = {"value": problem.model_dump(exclude_none=True)}
        if error.retry_after_s is not None:
            wait = {"description": "Seconds to wait before sending it again.", "schema": {"type": "integer"}}
            response["headers"] = {"Retry-After": wait | {"example": error.retry_after_s}}


def _no_errors_yet() -> dict[str, Any]:
    media_type = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
    return {"description": "", "content": {PROBLEM_TYPE: media_type}}
