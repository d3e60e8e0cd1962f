"""Radiographs in memory with what is known of their labels.

Three layouts are read: labels in CheXpert's coding, a column for each (`coded_labels`), NIH ChestX-ray14's own, and the
plain one (`image`, `findings`, `patient_id`). What a source does not annotate is unknown, never absent.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from services.image_index.examples.coded_labels import annotated, read_labels, says_nothing
from services.image_index.examples.named_pictures import find_picture, patient_of, picture_column
from services.image_index.examples.side_facts import nih_side_facts, no_side_facts
from services.image_index.ingest.layouts import PictureFiles
from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.read import read_radiograph
from services.image_index.pictures.spellings import view_position_of
from services.image_index.pictures.square import to_square
from shared.errors import ServiceError
from shared.labels import LABELS, NIH_FINDINGS, NO_FINDING, LabelName
from shared.tables import read_whole

NIH_UNKNOWN: tuple[LabelName, ...] = ("Enlarged Cardiomediastinum", "Fracture", "Support Devices")
# Where a table says who cut and re-saved a picture, these three labels follow the processing, not the patient.
COLLECTION_UNKNOWN: tuple[LabelName, ...] = ("Lung Opacity", "No Finding", "Pneumonia")

_VIEW_COLUMNS = ("Frontal/Lateral", "frontal_lateral", "View Position", "view_position")

Uncertain = Literal["ignore", "zeros", "ones"]
UncertainPolicy = Mapping[LabelName, Uncertain]  # a label that is not in it is ignored where it is uncertain


@dataclass(frozen=True)
class LabelledImages:
    """pixels (N, S, S) uint8; targets (N, 14) float32 in {0, 1}; known (N, 14) bool; patients, sources (N,) str.

    `side_facts` (N, F) float32 in [0, 1], NaN where unknown: what else the table says (SIDE_FACTS).
    `soft` (N, 14) float32 in [0, 1]: how sure a source is that a label is present, which is learned in place of its
    `targets`; None where no source says.
    """

    pixels: NDArray[np.uint8]
    targets: NDArray[np.float32]
    known: NDArray[np.bool_]
    patients: NDArray[np.str_]
    sources: NDArray[np.str_]
    side_facts: NDArray[np.float32]
    soft: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def learned(self) -> NDArray[np.float32]:
        """(N, 14) what training aims at."""
        return self.targets if self.soft is None else self.soft

    def where(self, chosen: NDArray[np.bool_]) -> "LabelledImages":
        return LabelledImages(
            self.pixels[chosen],
            self.targets[chosen],
            self.known[chosen],
            self.patients[chosen],
            self.sources[chosen],
            self.side_facts[chosen],
            None if self.soft is None else self.soft[chosen],
        )


@dataclass(frozen=True)
class Row:
    """One line of a table: path, patient, the labels that are known (True: present), side facts (F,).

    `probabilities`: of known labels, where the table says how probable it is that they are present.
    """

    path: Path
    patient: str
    labels: Mapping[LabelName, bool]
    side_facts: NDArray[np.float32] = field(default_factory=no_side_facts)
    probabilities: Mapping[LabelName, float] = field(default_factory=dict)


class UnreadablePictures(ValueError):
    """`failures`: path and reason of each."""

    def __init__(self, failures: Sequence[str]) -> None:
        self.failures = list(failures)
        shown = "\n".join(self.failures[:10])
        super().__init__(f"{len(self.failures):,} pictures cannot be read; take them out of the table:\n{shown}")


def join(parts: Sequence[LabelledImages]) -> LabelledImages:
    return LabelledImages(
        np.concatenate([p.pixels for p in parts]),
        np.concatenate([p.targets for p in parts]),
        np.concatenate([p.known for p in parts]),
        np.concatenate([p.patients for p in parts]),
        np.concatenate([p.sources for p in parts]),
        np.concatenate([p.side_facts for p in parts]),
        None if all(p.soft is None for p in parts) else np.concatenate([p.learned for p in parts]),
    )


def uncertain_policy(choices: Sequence[str]) -> UncertainPolicy:
    """From `ones` (every label) and `Edema=ones` (that one; it wins). Raises ValueError for another word or label."""
    policy: dict[LabelName, Uncertain] = {}
    for choice in sorted(choices, key=lambda text: "=" in text):
        name, _, word = choice.rpartition("=")
        if word not in get_args(Uncertain):
            raise ValueError(f"{choice}: uncertain findings are read as one of {', '.join(get_args(Uncertain))}")
        chosen = [label for label in LABELS if name in ("", label)]
        if not chosen:
            raise ValueError(f"{choice}: {name} is no label")
        policy.update(dict.fromkeys(chosen, cast("Uncertain", word)))
    return policy


def read_rows(table: Path, images_root: Path, *, uncertain: UncertainPolicy = MappingProxyType({})) -> list[Row]:
    """The table's frontal pictures of which something is said.

    Raises ValueError for a layout that is none of the three, a cell that says nothing known, or without such a picture.
    """
    columns, lines = read_whole(table)
    frontal = [line for line in lines if not _is_lateral(line)]
    try:
        rows = _rows(columns, frontal, PictureFiles(images_root), uncertain)
    except KeyError as missing:
        raise ValueError(f"{table}: {missing} is a missing column, or no finding of NIH ChestX-ray14's") from missing
    except ValueError as wrong:
        raise ValueError(f"{table}, {wrong}") from wrong
    if not rows:
        raise ValueError(f"{table} holds no frontal picture of which something is said")
    return rows


def _rows(
    columns: Sequence[str], lines: Sequence[Mapping[str, str]], files: PictureFiles, uncertain: UncertainPolicy
) -> list[Row]:
    if annotated(columns):
        column = picture_column(columns)
        return [_coded_row(line, column, files, uncertain) for line in lines if not says_nothing(line)]
    if "Finding Labels" in columns:
        names = ("Finding Labels", "Patient ID")
        return [_nih_row(line, files.nih(line["Image Index"]), names) for line in lines]
    if "findings" in columns:
        names = ("findings", "patient_id")
        return [_nih_row(line, files.plain(line["image"]), names) for line in lines]
    raise ValueError("which is laid out neither as CheXpert (a column a label) nor as NIH (Finding Labels, findings)")


def _is_lateral(line: Mapping[str, str]) -> bool:
    return any(view_position_of(line.get(column, "")) == "LATERAL" for column in _VIEW_COLUMNS)


def _coded_row(line: Mapping[str, str], column: str, files: PictureFiles, uncertain: UncertainPolicy) -> Row:
    name = line[column]
    try:
        labels = read_labels(line, uncertain)
    except ValueError as wrong:
        raise ValueError(f"{name}: {wrong}") from wrong
    return Row(find_picture(column, name, files), patient_of(line, name), labels.present, probabilities=labels.probable)


def _nih_row(line: Mapping[str, str], file: Path, names: tuple[str, str]) -> Row:
    findings, patient = (line[name] for name in names)
    present = {label for finding in findings.split("|") for label in NIH_FINDINGS[finding]}
    unknown = set(NIH_UNKNOWN)
    if "collection" in line:
        unknown.update(COLLECTION_UNKNOWN)
    labels = {label: label in present for label in LABELS if label not in unknown}
    return Row(file, f"nih:{int(patient)}", labels, nih_side_facts(findings.split("|"), line))


def load_images(
    rows: Sequence[Row], size: int, source: str, on_picture: Callable[[], None] = lambda: None
) -> LabelledImages:
    """Decode every picture as the service does (DICOM, PNG, JPEG), squeezed to (size, size).

    Raises UnreadablePictures with all that cannot be read, so that a table is put in order once.
    """

    def decode(row: Row) -> Grey | str:
        try:
            return to_square(read_radiograph(row.path.read_bytes()).grey, size)
        except (OSError, ServiceError) as failure:
            return f"{row.path}: {failure.strerror if isinstance(failure, OSError) else failure}"
        finally:
            on_picture()

    with ThreadPoolExecutor(4) as pool:
        decoded = list(pool.map(decode, rows))
    failures = [outcome for outcome in decoded if isinstance(outcome, str)]
    if failures:
        raise UnreadablePictures(failures)
    pixels = np.stack([picture for picture in decoded if not isinstance(picture, str)])
    targets, known = label_matrices(row.labels for row in rows)
    patients = np.array([row.patient for row in rows])
    side_facts = np.stack([row.side_facts for row in rows])
    sources = np.full(len(rows), source)
    return LabelledImages(pixels, targets, known, patients, sources, side_facts, _soft(rows, targets))


def _soft(rows: Sequence[Row], targets: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """(N, 14) probabilities, and `targets` where a row has none; None where no row has any."""
    if not any(row.probabilities for row in rows):
        return None
    soft = targets.copy()
    for number, row in enumerate(rows):
        for label, probability in row.probabilities.items():
            soft[number, LABELS.index(label)] = probability
    return soft


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
