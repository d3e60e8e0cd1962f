"""Which picture a line of a table with a column for each label names, and whose it is."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.image_index.ingest.layouts import PictureFiles, chexpert_study

NO_PATIENT = "picture:"  # begins what stands in a patient's place where a table names none: pictures are parted alone

_FIND: Mapping[str, Callable[[PictureFiles, str], Path]] = {
    "Path": PictureFiles.chexpert,
    "path_to_image": PictureFiles.chexpert,
    "Image Index": PictureFiles.nih,
    "image": PictureFiles.plain,
}
_PATIENTS = ("patient_id", "Patient ID")


def picture_column(columns: Sequence[str]) -> str:
    """Raises ValueError where there is none."""
    found = next((column for column in _FIND if column in columns), None)
    if found is None:
        raise ValueError(f"no picture is named: it needs one of the columns {', '.join(_FIND)}")
    return found


def find_picture(column: str, name: str, files: PictureFiles) -> Path:
    return _FIND[column](files, name)


def patient_of(line: Mapping[str, str], name: str) -> str:
    """By CheXpert's path, else by a column. A number counts as one of NIH's, as in all plain tables: 007 is 7."""
    patient = chexpert_study(name)[0]
    if patient:
        return f"chexpert:{patient}"
    given = next(filter(None, (line.get(column, "").strip() for column in _PATIENTS)), None)
    if given is None:
        return f"{NO_PATIENT}{name}"
    return f"nih:{int(given)}" if given.isdecimal() else f"patient:{given}"
