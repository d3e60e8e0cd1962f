"""JSON bodies, read once: bounded before they are parsed, strict in their types, and never quoted in an error."""

import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Sequence
from json import JSONDecodeError
from typing import Any, Never, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from shared.errors import BadRequest, InvalidInput, UnsupportedMediaType
from shared.web.problems import dotted

Model = TypeVar("Model", bound=BaseModel)

MEDIA_TYPE = "application/json"
BODY_ENDED = "The body ended before it was complete."
JSON_WANTED = f"Send the body as JSON, with the header Content-Type: {MEDIA_TYPE}."

# What one body may hold bounds the time and the memory that reading it takes. Four lists of 10,000 ids fit.
MAX_VALUES = 50_000
MAX_KEYS = 1_000
MAX_DIGITS = 20
_MAX_QUOTES = 4 * MAX_VALUES
_ALWAYS_QUICK = 16 * 1024  # so few bytes cannot hold enough to matter

# From a quote to the next that is not escaped, or to the end of the data: possessive, so linear whatever comes.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # of a pair or alone; Python's decoder lets both through


def is_json(headers: Headers) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == MEDIA_TYPE


async def read_json(request: Request, model: type[Model]) -> tuple[bytes, Model]:
    """The body and what it says. Raises UnsupportedMediaType before anything is read; else as `parse_json`."""
    if not is_json(request.headers):
        raise UnsupportedMediaType(JSON_WANTED)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
    try:
        data = await request.body()
    except ClientDisconnect:
        raise BadRequest(BODY_ENDED) from None
    return data, parse_json(data, model)


def parse_json(data: bytes, model: type[Model], at: Sequence[str] = ("body",)) -> Model:
    """Raises InvalidInput or RequestValidationError; `at` is where in the request the data was."""
    _check(data, at[-1])
    try:
        # From the text, for strictly only JSON may write a moment or a state as a word.
        return model.model_validate_json(data.removeprefix(BOM_UTF8), strict=True)
    except ValidationError as error:
        raise RequestValidationError(validation_errors(error, at)) from None


def validation_errors(error: ValidationError, at: Sequence[str]) -> list[dict[str, Any]]:
    """What FastAPI makes of them, without the input: it could be an impression."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{**each, "loc": (*at, *each["loc"])} for each in found]


def _check(data: bytes, name: str) -> None:
    """Raises InvalidInput for what is no JSON, or not plainly so."""
    if len(data) > _ALWAYS_QUICK:
        _check_extent(data, name)
    try:
        value = _DECODER.decode(data.decode("utf-8-sig"))
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The {name} must be JSON in UTF-8; its byte {error.start + 1} is not.") from None
    except UnicodeEncodeError:
        raise InvalidInput(f"The {name} holds half of a surrogate pair, which is no character.") from None
    except JSONDecodeError as error:
        where = f"at line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"The {name} is not valid JSON: {error.msg.removesuffix(' at')} {where}.") from None
    except RecursionError:
        raise InvalidInput(f"The {name} is nested too deeply.") from None


def _check_extent(data: bytes, name: str) -> None:
    """Raises InvalidInput. Counts what lies outside of strings: the text of an impression may hold any number."""
    too_much = InvalidInput(f"The {name} holds too much: at most {MAX_VALUES:,} values and {MAX_KEYS:,} keys are read.")
    if data.count(b'"') > _MAX_QUOTES:
        raise too_much
    structure = _STRING.sub(b"", data)
    values = structure.count(b",") + structure.count(b"[") + structure.count(b"{")
    if values > MAX_VALUES or structure.count(b":") > MAX_KEYS:
        raise too_much


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a key that comes twice: of two lists of patients to leave out, one would count for nothing."""
    made = dict(pairs)
    if len(made) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise InvalidInput(f"The JSON holds the key {dotted([twice])} twice in one object.")
    return made


def _no_number(_constant: str) -> Never:
    raise InvalidInput("NaN and Infinity are no numbers in JSON; send a number, or leave the field out.")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise InvalidInput(f"The JSON holds an integer of more than {MAX_DIGITS} digits.")
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_no_number)
