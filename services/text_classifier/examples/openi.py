"""The Open-i (Indiana University) reports, and what their manual codes say in terms of the 14 labels.

Source: Demner-Fushman et al., Preparing a collection of radiology examinations for distribution and retrieval, JAMIA
2016. People who read the whole report (findings and impression) wrote the codes, as MeSH terms with qualifiers:
"Opacity/lung/base/left". They code what is there, so a code says present (or uncertain), and its absence says only that
nobody found it worth a code.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.labels import LABELS, NO_FINDING, LabelName, State
from shared.tables import read_whole


@dataclass(frozen=True, slots=True)
class OpeniReport:
    """`problems` are the codes with their qualifiers (column MeSH; column Problems repeats their first parts)."""

    uid: str
    impression: str
    findings: str
    problems: tuple[str, ...]

    @property
    def text(self) -> str:
        """What the coders read: findings, then impression."""
        return "\n\n".join(part for part in (self.findings, self.impression) if part)


# First part of a code -> label. Left out on purpose: "Density" (coders use it for nodules, opacities and bone alike),
# "Cardiac Shadow/obscured", "Surgical Instruments" (clips and wires are no devices), "Foreign Bodies", "Spinal Fusion",
# "Fractures, Bone/sternum" (broken sternotomy wires).
_HEADS: Mapping[str, tuple[LabelName, ...]] = {
    "Pulmonary Atelectasis": ("Atelectasis",),
    "Cardiomegaly": ("Cardiomegaly",),
    "Consolidation": ("Consolidation",),
    "Pulmonary Edema": ("Edema",),
    "Heart Failure": ("Edema",),
    "Pulmonary Congestion": ("Edema",),
    "Mass": ("Lung Lesion",),
    "Opacity": ("Lung Opacity",),
    "Infiltrate": ("Lung Opacity",),
    "Airspace Disease": ("Lung Opacity",),
    "Lung Diseases, Interstitial": ("Lung Opacity",),
    "Pleural Effusion": ("Pleural Effusion",),
    "Hydropneumothorax": ("Pleural Effusion", "Pneumothorax"),
    "Pulmonary Fibrosis": ("Pleural Other",),
    "Pneumonia": ("Pneumonia",),
    "Pneumothorax": ("Pneumothorax",),
    "Hemopneumothorax": ("Pneumothorax",),
    "Catheters, Indwelling": ("Support Devices",),
    "Implanted Medical Device": ("Support Devices",),
    "Medical Device": ("Support Devices",),
    "Tube, Inserted": ("Support Devices",),
    "Stents": ("Support Devices",),
    "normal": (NO_FINDING,),
}
# Codes whose label hangs on a qualifier.
_QUALIFIED: tuple[tuple[re.Pattern[str], LabelName], ...] = (
    (re.compile(r"Fractures, Bone(?!/sternum)"), "Fracture"),
    (re.compile(r"(?:Opacity|Density)/(?:.*/)?round"), "Lung Lesion"),  # "nodular opacity", "nodular density"
    (re.compile(r"Cardiac Shadow/(?:enlarged|borderline)"), "Cardiomegaly"),
    (re.compile(r"Mediastinum/(?:prominent|enlarged)"), "Enlarged Cardiomediastinum"),
    (re.compile(r"Markings/.*interstitial"), "Lung Opacity"),
    (re.compile(r"Cicatrix(?!/pleura)"), "Lung Opacity"),
    (re.compile(r"(?:Cicatrix|Thickening)/pleura"), "Pleural Other"),
)
_UNCERTAIN = re.compile(r"/borderline|^Pulmonary Congestion")


def load_openi(path: Path) -> list[OpeniReport]:
    """Reports of `indiana_reports.csv` that have an impression or findings, in order. Raises TableUnusable."""
    reports = [
        OpeniReport(
            uid=row["uid"],
            impression=row["impression"].strip(),
            findings=row["findings"].strip(),
            problems=tuple(code.strip() for code in row["MeSH"].split(";") if code.strip()),
        )
        for row in read_whole(path, "uid", "impression", "findings", "MeSH").rows
    ]
    return [report for report in reports if report.text]


def problems_to_labels(problems: Iterable[str]) -> dict[LabelName, State]:
    """States that the codes give: present, uncertain (borderline size, congestion), or not mentioned."""
    states = dict.fromkeys(LABELS, State.NOT_MENTIONED)
    codes = list(problems)
    for code in codes:
        labels = [*_HEADS.get(code.split("/")[0], ()), *(label for pattern, label in _QUALIFIED if pattern.match(code))]
        if code.startswith("Nodule") and not _is_calcified(code, codes):
            labels.append("Lung Lesion")
        state = State.UNCERTAIN if _UNCERTAIN.search(code) else State.PRESENT
        for label in labels:
            if states[label] is not State.PRESENT:
                states[label] = state
    return states


def _is_calcified(nodule: str, codes: Iterable[str]) -> bool:
    """A calcified nodule, no Lung Lesion, has two codes of one place: "Nodule/lung/..." and "Calcinosis/lung/..."."""
    place = nodule.split("/")[1:]
    calcified = (code.split("/")[1:] for code in codes if code.startswith("Calcinosis/"))
    return any(place[: len(other)] == other[: len(place)] for other in calcified)
