"""JSON as the commands of both workshops write it: to be read, kept and compared line by line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json(file: Path, content: Mapping[Any, Any]) -> None:
    """A figure that is not defined (NaN) is written as null: JSON knows no other word for it."""
    file.write_text(json.dumps(_defined(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _defined(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _defined(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_defined(one) for one in value]
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN alone differs from itself
