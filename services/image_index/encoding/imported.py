"""An index without images: its probabilities came from a table. What it is served with in place of an encoder.

A note beside such an index says whose predictions it holds, and from which probability on each label is called present.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from services.image_index.encoding.model_folder import INTENDED_USE, ImageModelFolder
from services.inference.model_files import ModelLoadError
from shared.errors import Conflict
from shared.labels import LABELS, LabelName
from shared.schemas.numbers import Probability

_NOTE = "predictions.json"
_SIDE = 16  # of the pictures that nothing looks at


class ImportedPredictions(BaseModel):
    model_name: str
    weights_sha256: str  # stands for the weights, which nobody here has
    thresholds: dict[LabelName, Probability]

    def note_in(self, index_folder: Path) -> None:
        new = index_folder / f"{_NOTE}.new"
        new.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        new.rename(index_folder / _NOTE)  # whole or not at all


def imported_in(index_folder: Path) -> ImportedPredictions | None:
    file = index_folder / _NOTE
    if not file.exists():
        return None
    try:
        return ImportedPredictions.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise ModelLoadError(f"{file} is damaged. Import the predictions again: that mends it.") from error


class NoSession:
    """A session that knows whose weights they were, and cannot run them."""

    engine = "none: imported predictions"
    device = "none"
    cores = 1

    def __init__(self, imported: ImportedPredictions) -> None:
        self.weights_sha256 = imported.weights_sha256
        self._model_name = imported.model_name

    def run(self, inputs: Mapping[str, NDArray[Any]], *, crowded: bool = False) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        raise Conflict(
            f"This index holds the imported predictions of {self._model_name}: there is no encoder to read an image "
            "with. Images can be put into an index of their own (another CHEX_DATA_DIR), and searched for there."
        )


def folder_of(imported: ImportedPredictions) -> ImageModelFolder:
    labels = len(LABELS)
    return ImageModelFolder(
        name=imported.model_name,
        version="imported",
        input_size=_SIDE,
        channels=1,
        mean=np.zeros(1, dtype=np.float32),
        std=np.ones(1, dtype=np.float32),
        outputs=np.arange(labels),
        slopes=np.ones(labels),
        intercepts=np.zeros(labels),
        thresholds=np.array([imported.thresholds[name] for name in LABELS]),
        label_support=dict.fromkeys(LABELS, "imported"),
        intended_use=INTENDED_USE,
    )
