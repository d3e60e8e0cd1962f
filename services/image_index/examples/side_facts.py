"""What a table says beside the 14 labels: finer findings, view position, sex and age.

A network that must tell them too learns anatomy from facts that are hardly ever wrong, where the labels often are.
They guide the training and are not part of the model that comes out of it.
"""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from services.image_index.pictures.spellings import patient_sex_of, view_position_of, years_of

# NIH findings that the 14 labels merge or leave out.
_FINER_FINDINGS = ("Emphysema", "Fibrosis", "Hernia", "Infiltration", "Mass", "Nodule", "Pleural_Thickening")
SIDE_FACTS = (*_FINER_FINDINGS, "AP", "female", "age")
_OLDEST = 95.0  # years; the scale of `age`


def no_side_facts() -> NDArray[np.float32]:
    """(F,) NaN."""
    return np.full(len(SIDE_FACTS), np.nan, dtype=np.float32)


def nih_side_facts(findings: Collection[str], line: Mapping[str, str]) -> NDArray[np.float32]:
    """(F,) of a row of NIH's own table or of the plain one; a column that is not there is unknown.

    A table that says who cut and re-saved a picture gives the finer findings away by the processing: unknown there.
    """
    facts = no_side_facts()
    if "collection" not in line:
        facts[: len(_FINER_FINDINGS)] = [finding in findings for finding in _FINER_FINDINGS]
    view = line.get("view_position") or line.get("View Position")
    if view:
        facts[SIDE_FACTS.index("AP")] = view_position_of(view) == "AP"
    sex = patient_sex_of(line.get("patient_sex") or line.get("Patient Gender") or "")
    if sex:
        facts[SIDE_FACTS.index("female")] = sex == "F"
    age = years_of(line.get("patient_age") or line.get("Patient Age") or "")
    if age is not None:
        facts[SIDE_FACTS.index("age")] = min(1.0, age / _OLDEST)
    return facts
