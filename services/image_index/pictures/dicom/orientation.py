"""A frontal picture that lies or is mirrored, put upright by PatientOrientation: which way its rows and columns run.

The picture's left side is then the patient's right, as radiographs are looked at. FieldOfViewRotation and
FieldOfViewHorizontalFlip tell what was done to the pixels already, and are not asked.
"""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from services.image_index.pictures.radiograph import Grey

_SIDEWAYS, _ALONG = ("L", "R"), ("F", "H")  # towards the patient's left or right; towards feet or head


def upright(grey: Grey, dataset: Dataset) -> Grey:
    """As it is, unless one direction runs plainly from side to side of the patient and the other from head to feet: so
    neither laterals, nor oblique views, nor what is missing or not understood changes anything.
    """
    rows, columns = _directions(dataset)
    if rows in _ALONG and columns in _SIDEWAYS:
        grey, rows, columns = grey.T, columns, rows
    if rows not in _SIDEWAYS or columns not in _ALONG:
        return grey
    return np.ascontiguousarray(grey[:: -1 if columns == "H" else 1, :: -1 if rows == "R" else 1])


def _directions(dataset: Dataset) -> tuple[str, str]:
    """Of a row from left to right, and of a column from top to bottom: L and F is upright."""
    said: Any = dataset.get("PatientOrientation")
    if not isinstance(said, MultiValue) or len(said) != 2:
        return "", ""
    rows, columns = (str(direction).strip().upper() for direction in said)
    return rows, columns
