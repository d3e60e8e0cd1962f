"""The report that a request brings: as text, or as JSON beside what is known of it."""

import re
from collections.abc import Sequence

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request

from shared.errors import BadRequest, InvalidInput, PayloadTooLarge, UnsupportedMediaType
from shared.schemas.report_input import ReportInput
from shared.web.json_body import BODY_ENDED, parse_json, validation_errors

MAX_REPORT_BYTES = 256 * 1024
"""More than the longest text takes, though each of its characters be written as an escape of JSON."""

JSON = "application/json"
TEXT = "text/plain"
WANTED = f"Send the report as {TEXT} in UTF-8, or as {JSON}."
_JSON_BEGINS = re.compile(r'\s*\{\s*"')
_UTF_8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})


async def report_of(request: Request) -> ReportInput:
    """Raises BadRequest, PayloadTooLarge, and as `parse_report`."""
    content_type = request.headers.get("content-type", "")
    _media_type(content_type)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
    return parse_report(await _body(request), content_type, at=("body",))


def parse_report(data: bytes, content_type: str, at: Sequence[str]) -> ReportInput:
    """`at` is where in the request the data was.

    Raises UnsupportedMediaType, InvalidInput or RequestValidationError.
    """
    if _media_type(content_type) == JSON:
        return parse_json(data, ReportInput, at)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The report must be text in UTF-8; its byte {error.start + 1} is not.") from None
    _check_is_text(text)
    try:
        return ReportInput(text=text)
    except ValidationError as error:
        raise RequestValidationError(validation_errors(error, at)) from None


def _check_is_text(text: str) -> None:
    """What else was sent by mistake would be read, and what it says beside the text, `issued` say, be lost. Raises
    InvalidInput.
    """
    if "\0" in text:
        raise InvalidInput("The report holds NUL characters, as text in UTF-16 does: send it in UTF-8.")
    if _JSON_BEGINS.match(text):
        raise InvalidInput(f"The report looks like JSON, but was sent as text: send it as {JSON}.")


def _media_type(content_type: str) -> str:
    """Raises UnsupportedMediaType."""
    media_type, *parameters = (each.strip().lower() for each in content_type.split(";"))
    charsets = {each.partition("=")[2].strip('"') for each in parameters if each.startswith("charset=")}
    if media_type not in {JSON, TEXT} or not charsets <= _UTF_8:
        raise UnsupportedMediaType(WANTED)
    return media_type


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    too_large = PayloadTooLarge(f"A report must not be longer than {MAX_REPORT_BYTES:,} bytes.")
    if declared.isdecimal() and int(declared) > MAX_REPORT_BYTES:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_REPORT_BYTES:
                raise too_large
    except ClientDisconnect:
        raise BadRequest(BODY_ENDED) from None
    return bytes(body)
