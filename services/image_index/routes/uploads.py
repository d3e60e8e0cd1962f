"""Reads an image out of a request: as the body itself, or as `file` in a form beside JSON parts."""

from collections.abc import Mapping
from dataclasses import dataclass
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
from shared.web.openapi import FormPart

Part = TypeVar("Part", bound=BaseModel)
MAX_PART_BYTES = 2**20  # of what a form holds beside the image

UPLOAD_ERRORS = documented(
    BurnedInText, Conflict, NotAChestRadiograph, Overloaded, InferenceFailed, Unavailable, DeadlineExceeded
)


@dataclass(frozen=True)
class Upload:
    """The image's bytes, and what the form's other parts say."""

    data: bytes
    parts: Mapping[str, bytes]

    def said(self, part: str, model: type[Part]) -> Part | None:
        """None where the form has no such part. Raises InvalidInput or RequestValidationError."""
        sent = self.parts.get(part)
        return None if sent is None else parse_json(sent, model, at=("body", part))


async def read_upload(request: Request, *parts: FormPart) -> Upload:
    """Of a form that holds `file` and some of these parts, or of a body that is the image."""
    names = [part.name for part in parts]
    most = len(names) + 1
    try:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return Upload(_not_empty(await request.body()), {})
        async with request.form(max_files=most, max_fields=most) as form:
            if set(form) - {"file", *names}:
                listed = ", ".join(["file", *names[:-1]])
                raise InvalidInput(f"The form may hold the parts {listed} and {names[-1]}, and no others.")
            if len(form.multi_items()) > len(form):
                raise InvalidInput("The form holds a part twice.")
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InvalidInput("The form holds no file part named file.")
            said = {name: await _bytes_of(form[name]) for name in names if name in form}
            return Upload(_not_empty(await file.read()), said)
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
