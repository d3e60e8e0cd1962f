"""The files of a model folder, and how they fail to be one."""

import json
from pathlib import Path
from typing import Any


class ModelLoadError(Exception):
    """The folder holds no model that can be run here; the message says what to change."""


def read_json_object(file: Path) -> dict[str, Any]:
    """Raises ModelLoadError where the file is no JSON, or no object."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelLoadError(f"{file} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelLoadError(f"{file} must hold a JSON object.")
    return content
