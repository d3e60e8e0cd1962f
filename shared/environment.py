"""Settings out of the environment. What is wrong there is said in plain sentences, by name and never by value: a value
may be a secret.
"""

import difflib
import os
import sys
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.settings import PREFIX, ServiceSettings
from shared.variables import READ_ELSEWHERE, SETTINGS

Settings = TypeVar("Settings", bound=ServiceSettings)
Schema = Mapping[str, Any]  # of one field, as JSON schema


def read_environment(settings: type[Settings], part: str) -> Settings:
    """Ends the process with status 1 and a sentence for each variable that is wrong; warns of those nobody reads."""
    for warning in unknown_variables(os.environ):
        sys.stderr.write(f"{part}: {warning}\n")
    try:
        return settings()
    except ValidationError as wrong:
        fields = settings.model_json_schema(mode="validation")["properties"]
        sentences = dict.fromkeys(_sentence(error, fields) for error in wrong.errors())
    sys.exit("\n".join(f"{part}: {sentence}" for sentence in sentences))


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that begins as ours do and is none of them."""
    known = SETTINGS | READ_ELSEWHERE
    unknown = sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)
    return [f"{name} is no setting, and nobody reads it.{_nearest(name.upper())}" for name in unknown]


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, sorted(SETTINGS), n=1)
    return f" Is {near[0]} meant?" if near else ""


def _sentence(error: ErrorDetails, fields: Mapping[str, Schema]) -> str:
    name = str(error["loc"][0])
    if error["type"] == "value_error":  # of a validator of ours, which says what it takes
        return f"{PREFIX}{name.upper()} {error['ctx']['error']}."
    return f"{PREFIX}{name.upper()} must be {_takes(fields[name])}."


def _takes(field: Schema) -> str:
    kind = next(kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null")
    if "enum" in kind:
        return f"{', '.join(kind['enum'][:-1])} or {kind['enum'][-1]}"
    if kind.get("type") == "boolean":
        return "true or false"
    if kind.get("type") in {"integer", "number"}:
        return f"{'a whole number' if kind['type'] == 'integer' else 'a number'}{_range(kind)}"
    if kind.get("format") == "uri":
        return "an address that begins with http:// or https://"
    return f"written otherwise: {field.get('description', 'text')}".rstrip(".")


def _range(kind: Schema) -> str:
    least, most = kind.get("minimum"), kind.get("maximum")
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of {least} or more"
    return f" above {kind['exclusiveMinimum']}" if "exclusiveMinimum" in kind else ""
