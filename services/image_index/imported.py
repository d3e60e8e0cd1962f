"""An index without images: its probabilities came from a table. What it is served with in place of an encoder.

A note beside such an index says whose predictions it holds, and from which probability on each label is called present.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from services.image_index.encoder import Encoder
from services.image_index.model_folder import INTENDED_USE, ImageModelFolder
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.base import StoreUnusable
from shared.errors import Conflict
from shared.labels import LABELS, LabelName
from shared.schemas.text import Probability

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
        raise StoreUnusable(f"{file} is damaged. Import the predictions again: that mends it.") from error


def refuse_imported(index_folder: Path) -> None:
    """Ends the process where images are to be added to an index that has no encoder."""
    imported = imported_in(index_folder)
    if imported is not None:
        sys.exit(
            f"image-index: {index_folder} holds the imported predictions of {imported.model_name}: no image can be "
            "encoded to go with them. Ingest into a new CHEX_DATA_DIR."
        )


def open_encoder(settings: ImageIndexSettings) -> Encoder:
    """The configured encoder; or, for an index of imported predictions, one that refuses every image.

    Raises ModelLoadError or StoreUnusable.
    """
    imported = imported_in(settings.index_folder)
    if imported is None:
        return Encoder.open(settings.image_model, device=settings.device, threads=settings.threads)
    return Encoder(_folder(imported), _NoSession(imported))


class _NoSession:
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


def _folder(imported: ImportedPredictions) -> ImageModelFolder:
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
