"""How CheXpert and CheXpert Plus name an image: by one path, behind other folders and with other endings."""

import re
from typing import NamedTuple

# The last `train/` or `valid/` before a patient, so that folders above it may be called so too.
_FROM_THE_SET_ON = re.compile(r"(?:.*/)?((?:train|valid)/(patient\d+)/.+)")
_ENDING = re.compile(r"\.[A-Za-z0-9]+$")


class ImageName(NamedTuple):
    """`path`: from `train/` or `valid/` on. `key`: the same without its ending, by which two tables are joined."""

    path: str
    key: str
    patient: str


def name_of(path: str) -> ImageName | None:
    """Of `CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg`; None of what is no such path."""
    match = _FROM_THE_SET_ON.fullmatch(path.strip())
    return ImageName(match[1], _ENDING.sub("", match[1]), match[2]) if match else None
