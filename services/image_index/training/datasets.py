"""Radiographs in memory with what is known of their labels.

Three layouts are read: CheXpert's table, NIH ChestX-ray14's own, and the plain one (`image`, `findings`, `patient_id`).
What a source does not annotate is unknown, never absent.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.image_index.resize import to_square
from services.image_index.training.side_facts import nih_side_facts, no_side_facts
from shared.labels import LABELS, NO_FINDING, LabelName

# Wang et al., ChestX-ray8, CVPR 2017. Emphysema and Hernia have no CheXpert label; fibrosis is a weak Pleural Other.
NIH_FINDINGS: Mapping[str, tuple[LabelName, ...]] = {
    "Atelectasis": ("Atelectasis",),
    "Cardiomegaly": ("Cardiomegaly",),
    "Consolidation": ("Consolidation", "Lung Opacity"),
    "Edema": ("Edema", "Lung Opacity"),
    "Effusion": ("Pleural Effusion",),
    "Emphysema": (),
    "Fibrosis": ("Pleural Other",),
    "Hernia": (),
    "Infiltration": ("Lung Opacity",),
    "Mass": ("Lung Lesion",),
    "No Finding": ("No Finding",),
    "Nodule": ("Lung Lesion",),
    "Pleural_Thickening": ("Pleural Other",),
    "Pneumonia": ("Pneumonia", "Lung Opacity"),
    "Pneumothorax": ("Pneumothorax",),
}
NIH_UNKNOWN: tuple[LabelName, ...] = ("Enlarged Cardiomediastinum", "Fracture", "Support Devices")
# Where a table says who cut and re-saved a picture, these three labels follow the processing, not the patient.
COLLECTION_UNKNOWN: tuple[LabelName, ...] = ("Lung Opacity", "No Finding", "Pneumonia")

UncertainPolicy = Literal["ignore", "zeros", "ones"]


@dataclass(frozen=True)
class LabelledImages:
    """pixels (N, S, S) uint8; targets (N, 14) float32 in {0, 1}; known (N, 14) bool; patients, sources (N,) str.

    `side_facts` (N, F) float32 in [0, 1], NaN where unknown: what else the table says (SIDE_FACTS).
    """

    pixels: NDArray[np.uint8]
    targets: NDArray[np.float32]
    known: NDArray[np.bool_]
    patients: NDArray[np.str_]
    sources: NDArray[np.str_]
    side_facts: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pixels)

    def where(self, chosen: NDArray[np.bool_]) -> "LabelledImages":
        return LabelledImages(
            self.pixels[chosen],
            self.targets[chosen],
            self.known[chosen],
            self.patients[chosen],
            self.sources[chosen],
            self.side_facts[chosen],
        )


@dataclass(frozen=True)
class Row:
    """One line of a table: path, patient, the labels that are known (True: present), side facts (F,)."""

    path: Path
    patient: str
    labels: Mapping[LabelName, bool]
    side_facts: NDArray[np.float32] = field(default_factory=no_side_facts)


def join(parts: Sequence[LabelledImages]) -> LabelledImages:
    return LabelledImages(
        np.concatenate([p.pixels for p in parts]),
        np.concatenate([p.targets for p in parts]),
        np.concatenate([p.known for p in parts]),
        np.concatenate([p.patients for p in parts]),
        np.concatenate([p.sources for p in parts]),
        np.concatenate([p.side_facts for p in parts]),
    )


def read_rows(table: Path, images_root: Path, *, uncertain: UncertainPolicy = "ignore") -> list[Row]:
    """The table's frontal pictures. Raises ValueError for a layout that is none of the three."""
    with table.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        columns = set(reader.fieldnames or ())
        lines = list(reader)
    if "Path" in columns:
        frontal = (line for line in lines if line.get("Frontal/Lateral", "Frontal") == "Frontal")
        return [_chexpert_row(line, images_root, uncertain) for line in frontal]
    if "Finding Labels" in columns:
        names = ("Image Index", "Finding Labels", "Patient ID")
    elif "findings" in columns:
        names = ("image", "findings", "patient_id")
    else:
        raise ValueError(
            f"{table.name} is laid out neither as CheXpert (Path, …) nor as NIH (Finding Labels or findings)"
        )
    return [_nih_row(line, images_root, names) for line in lines]


def _chexpert_row(line: Mapping[str, str], root: Path, uncertain: UncertainPolicy) -> Row:
    """A blank is absent: CheXpert's reports mention what is there."""
    labels: dict[LabelName, bool] = {}
    for label in LABELS:
        code = float(line.get(label) or 0.0)
        if code >= 0.0:
            labels[label] = code == 1.0
        elif uncertain != "ignore":
            labels[label] = uncertain == "ones"
    patient = next((part for part in Path(line["Path"]).parts if part.startswith("patient")), line["Path"])
    return Row(root / line["Path"], f"chexpert:{patient}", labels)


def _nih_row(line: Mapping[str, str], root: Path, names: tuple[str, str, str]) -> Row:
    image, findings, patient = (line[name] for name in names)
    present = {label for finding in findings.split("|") for label in NIH_FINDINGS[finding]}
    unknown = set(NIH_UNKNOWN)
    if "collection" in line:
        unknown.update(COLLECTION_UNKNOWN)
    labels = {label: label in present for label in LABELS if label not in unknown}
    return Row(root / image, f"nih:{int(patient)}", labels, nih_side_facts(findings.split("|"), line))


def load_images(rows: Sequence[Row], size: int, source: str) -> LabelledImages:
    """Decode every picture, squeezed to (size, size). A file that cannot be read raises: training data is curated."""

    def decode(row: Row) -> NDArray[np.uint8]:
        with Image.open(row.path) as picture:
            return to_square(np.asarray(picture.convert("L")), size)

    with ThreadPoolExecutor(4) as pool:
        pixels = np.stack(list(pool.map(decode, rows)))
    targets, known = label_matrices(row.labels for row in rows)
    patients = np.array([row.patient for row in rows])
    side_facts = np.stack([row.side_facts for row in rows])
    return LabelledImages(pixels, targets, known, patients, np.full(len(rows), source), side_facts)


def label_matrices(
    labels: Iterable[Mapping[LabelName, bool]],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Targets and known, both (N, 14)."""
    rows = [[given.get(label) for label in LABELS] for given in labels]
    known = np.array([[value is not None for value in row] for row in rows])
    targets = np.array([[float(value or False) for value in row] for row in rows], dtype=np.float32)
    return targets, known


def abnormal(images: LabelledImages) -> NDArray[np.bool_]:
    """(N,) pictures with a finding other than No Finding."""
    others = [i for i, label in enumerate(LABELS) if label != NO_FINDING]
    return np.asarray(images.targets[:, others].max(axis=1) > 0.0)
