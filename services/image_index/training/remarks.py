"""What a user should know of the tables that a training run reads, before hours are spent on it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.image_index.examples.coded_labels import count_saying_nothing
from services.image_index.examples.named_pictures import NO_PATIENT
from services.image_index.examples.sources import table_of
from services.image_index.training.pipeline import Parts


def remarks(sources: Sequence[Path], parts: Parts) -> list[str]:
    said = []
    left_out = sum(count_saying_nothing(table_of(source)) for source in sources)
    if left_out:
        said.append(
            f"{left_out:,} rows left out: their reports are in another language, or state nothing (text_warnings)."
        )
    alone = sum(
        int(np.char.startswith(part.patients, NO_PATIENT).sum()) for part in (parts.train, parts.validation, parts.test)
    )
    if alone:
        said.append(
            f"{alone:,} pictures name no patient (a column patient_id, or patient00001 in the path): each counts as a "
            "patient of its own, so one patient's may teach and judge alike."
        )
    soft = 0 if parts.train.soft is None else int((parts.train.soft != parts.train.targets).any(axis=1).sum())
    if soft:
        said.append(f"{soft:,} training pictures teach probabilities (prob_ and the label's name).")
    return said
