"""Reads an image out of a request: as the body itself, or as `file` in a form beside a JSON part."""

from typing import Annotated, TypeVar

from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from shared.errors import (
    BadRequest,
    Conflict,
    DeadlineExceeded,
    InferenceFailed,
    InvalidInput,
    NotAChestRadiograph,
    Overloaded,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from shared.openapi import ACCEPT_ANY
from shared.problems import documented

Part = TypeVar("Part", bound=BaseModel)
AcceptAny = Annotated[bool, Query(description=ACCEPT_ANY)]

UPLOAD_ERRORS = documented(
    BadRequest,
    Conflict,
    PayloadTooLarge,
    UnsupportedMediaType,
    InvalidInput,
    NotAChestRadiograph,
    Overloaded,
    InferenceFailed,
    Unavailable,
    DeadlineExceeded,
)


async def read_upload(request: Request, part: str, model: type[Part]) -> tuple[bytes, Part | None]:
    """The image's bytes, and the JSON part where the form has one."""
    try:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return _not_empty(await request.body()), None
        async with request.form(max_files=2, max_fields=2) as form:
            unknown = set(form) - {"file", part}
            if unknown:
                raise InvalidInput(f"The form may hold the parts file and {part}, and no others.")
            file, described = form.get("file"), form.get(part)
            if not isinstance(file, UploadFile):
                raise InvalidInput("The form holds no file part named file.")
            text = await described.read() if isinstance(described, UploadFile) else described
            return _not_empty(await file.read()), None if text is None else _parse(text, part, model)
    except ClientDisconnect:
        raise BadRequest("The body ended before it was complete.") from None


def _not_empty(data: bytes) -> bytes:
    if not data:
        raise InvalidInput("The image is empty.")
    return data


def _parse(text: bytes | str, part: str, model: type[Part]) -> Part:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        errors = [{**entry, "loc": ("body", part, *entry["loc"])} for entry in error.errors(include_input=False)]
        raise RequestValidationError(errors) from None
