"""Reads an image out of a request: as the body itself, or as `file` in a form beside a JSON part."""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from shared.errors import (
    BadRequest,
    BurnedInText,
    Conflict,
    DeadlineExceeded,
    InferenceFailed,
    InvalidInput,
    NotAChestRadiograph,
    Overloaded,
    PayloadTooLarge,
    Unavailable,
)
from shared.web.documented import documented
from shared.web.json_body import BODY_ENDED, parse_json

Part = TypeVar("Part", bound=BaseModel)
MAX_PART_BYTES = 2**20  # of what a form holds beside the image

UPLOAD_ERRORS = documented(
    BurnedInText, Conflict, NotAChestRadiograph, Overloaded, InferenceFailed, Unavailable, DeadlineExceeded
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
            said = None if described is None else parse_json(await _bytes_of(described), model, at=("body", part))
            return _not_empty(await file.read()), said
    except ClientDisconnect:
        raise BadRequest(BODY_ENDED) from None


def _not_empty(data: bytes) -> bytes:
    if not data:
        raise InvalidInput("The image is empty.")
    return data


async def _bytes_of(part: UploadFile | str) -> bytes:
    if isinstance(part, str):  # held to the same limit by Starlette
        return part.encode()
    if (part.size or 0) > MAX_PART_BYTES:
        raise PayloadTooLarge(f"The part beside the image must not be longer than {MAX_PART_BYTES:,} bytes.")
    return await part.read()
