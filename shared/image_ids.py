"""The id of a picture that has a path and no id."""

import re
from pathlib import PurePosixPath

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9._:-]")
_MAX_ID = 128


def image_id_of(path: str) -> str:
    """The path without its ending, `/` as `:`. Other characters that an id may not hold become `_`.

    Empty where nothing of the path may stand in an id.
    """
    whole = PurePosixPath(path)
    name = whole.with_suffix("").as_posix().replace("/", ":") if whole.name else ""
    return _NOT_IN_AN_ID.sub("_", name).lstrip("._:-")[-_MAX_ID:].lstrip("._:-")
