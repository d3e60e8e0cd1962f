"""Makes the original project's tables: `train.csv`, `val.csv` and `test.csv`, an image a row."""

import csv
import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from services.text_classifier.examples.chexpert.cleaning import Cleaning, cleaned
from services.text_classifier.examples.chexpert.folder import check_folder, new_folder
from services.text_classifier.examples.chexpert.join import Joined, ReportTable, Views
from services.text_classifier.examples.chexpert.labels import DESCRIBED, read_labels
from services.text_classifier.examples.chexpert.split import PARTS, Part, Split, part_of_image, part_of_patient
from shared.labels import LABELS
from shared.reasons import Reasons

COLUMNS = ("path_to_image", "cleaned_impression", *LABELS, "patient_id", *DESCRIBED)
FILES = tuple(f"{part}.csv" for part in PARTS)


class NothingJoined(ValueError):
    """No row of the reports has labels."""


class How(NamedTuple):
    """`seed` is that of the original's split; patients are parted the same way for ever."""

    views: Views = "PA"
    clean: Cleaning = "fold"
    split: Split = "patient"
    seed: int = 0
    overwrite: bool = False


@dataclass
class Outcome:
    """`reasons`: why rows and images were left out. `without_impression`: images whose text is blank."""

    images: Counter[Part] = field(default_factory=Counter)
    patients: dict[Part, set[str]] = field(default_factory=lambda: {part: set() for part in PARTS})
    without_impression: int = 0
    reasons: Reasons = field(default_factory=Reasons)

    @property
    def also_in_training(self) -> int:
        """Patients of the test table of whom the training table has images too."""
        return len(self.patients["test"] & self.patients["train"])


def prepare(
    plus: Path,
    chexpert: Path,
    out: Path,
    how: How,
    outcome: Outcome,
    *,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """`plus`: CheXpert Plus' table. `chexpert`: the folder of CheXpert's. `on_bytes`: as `open_table` has it.

    Raises TableUnusable, FolderUnusable, NothingJoined or OSError; then `out` is as it was before.
    """
    check_folder(out, FILES, overwrite=how.overwrite)
    table = ReportTable(plus)
    images = read_labels(chexpert, outcome.reasons)
    with new_folder(out) as folder:
        with ExitStack() as open_files:
            streams = {
                part: open_files.enter_context((folder / f"{part}.csv").open("w", newline="", encoding="utf-8"))
                for part in PARTS
            }
            writers = {part: csv.writer(stream) for part, stream in streams.items()}
            for writer in writers.values():
                writer.writerow(COLUMNS)
            for joined in table.joined(images, how.views, outcome.reasons, on_bytes):
                part = _part_of(joined, how)
                text = cleaned(joined.impression, how.clean)
                writers[part].writerow(_row(joined, text))
                outcome.images[part] += 1
                outcome.patients[part].add(joined.image.patient)
                outcome.without_impression += not text
            for stream in streams.values():
                stream.flush()
                os.fsync(stream.fileno())
        if not outcome.images:
            raise NothingJoined(f"No row of {plus} has labels in {chexpert}: nothing was written.")


def _part_of(joined: Joined, how: How) -> Part:
    return part_of_patient(joined.image.patient) if how.split == "patient" else part_of_image(joined.key, how.seed)


def _row(joined: Joined, text: str) -> tuple[str, ...]:
    image = joined.image
    return (image.path, text, *image.codes, image.patient, *image.described)
