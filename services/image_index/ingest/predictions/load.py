"""Builds an index without images from a table of predictions. Idempotent: a line that is there already stays as it is.

The table is read twice: once to check every line, so that a faulty one changes nothing, once to write. Neither holds
more of it than a batch.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from services.image_index.ingest.predictions.table import BadLine, Prediction, PredictionTable
from services.image_index.patient_keys import PatientKeys
from services.image_index.store.contract import ImageStore
from services.image_index.store.new_image import NewImage, PutOutcome
from shared.labels import LABELS, LabelName
from shared.schemas.images import StoredMetadata

_BATCH = 2000  # rows in one transaction
_SHOWN_LINES = 20
_USUAL_THRESHOLD = 0.5

OnRows = Callable[[int], None]


@dataclass
class Checked:
    """What a first reading found."""

    rows: int = 0
    bad: list[BadLine] = field(default_factory=list)  # the first few
    bad_lines: int = 0
    thresholds: dict[LabelName, float] = field(default_factory=dict)


def weights_named(model_name: str) -> str:
    """What stands for the weights of a model that is known by name only: in the form of a SHA-256, as all are."""
    return hashlib.sha256(f"predictions of {model_name}".encode()).hexdigest()


def check(table: PredictionTable, on_rows: OnRows = lambda _rows: None) -> Checked:
    """Raises TableUnusable."""
    checked = Checked()
    decided = _Thresholds()
    for line in table.lines():
        if isinstance(line, BadLine):
            checked.bad_lines += 1
            if len(checked.bad) < _SHOWN_LINES:
                checked.bad.append(line)
        else:
            checked.rows += 1
            decided.see(line)
        if (checked.rows + checked.bad_lines) % _BATCH == 0:
            on_rows(checked.rows + checked.bad_lines)
    checked.thresholds = decided.found()
    return checked


def import_rows(
    table: PredictionTable,
    store: ImageStore,
    keys: PatientKeys,
    weights_sha256: str,
    on_rows: OnRows = lambda _rows: None,
    *,
    replace: bool = False,
) -> Counter[PutOutcome]:
    """A table that `check` found good. Raises Unavailable where the store cannot write."""
    outcomes: Counter[PutOutcome] = Counter()
    predictions = (line for line in table.lines() if isinstance(line, Prediction))
    for batch in _batches(predictions):
        images = [_new_image(prediction, keys, weights_sha256) for prediction in batch]
        outcomes.update(store.put(images, replace=replace))
        on_rows(outcomes.total())
    return outcomes


def _batches(predictions: Iterator[Prediction]) -> Iterator[Sequence[Prediction]]:
    while batch := list(islice(predictions, _BATCH)):
        yield batch


def _new_image(prediction: Prediction, keys: PatientKeys, weights_sha256: str) -> NewImage:
    probabilities = prediction.probabilities.astype("<f4")
    content = prediction.path.encode() + b"\0" + probabilities.tobytes()
    return NewImage(
        image_id=prediction.image_id,
        probabilities=probabilities,
        # Valid as it is made here; to validate it would take most of an import's time.
        metadata=StoredMetadata.model_construct(
            view_position="LATERAL" if prediction.is_lateral else None,
            study_instance_uid=prediction.study_instance_uid,
            study_invented=prediction.study_instance_uid is not None,
            patient_key=keys.key_of(prediction.patient_id) if prediction.patient_id else None,
        ),
        content_sha256=hashlib.sha256(content).hexdigest(),
        weights_sha256=weights_sha256,
        thumbnail=None,
        cam=None,
    )


class _Thresholds:
    """From which probability on the table's decisions call each label present."""

    def __init__(self) -> None:
        self._least_present = np.full(len(LABELS), np.inf, dtype=np.float32)
        self._most_absent = np.full(len(LABELS), -np.inf, dtype=np.float32)

    def see(self, prediction: Prediction) -> None:
        if prediction.present is None:
            return
        p, present = prediction.probabilities.astype(np.float32), prediction.present
        np.minimum(self._least_present, p, out=self._least_present, where=present)
        np.maximum(self._most_absent, p, out=self._most_absent, where=~present)

    def found(self) -> dict[LabelName, float]:
        """The usual threshold where it fits, else the lowest probability that was called present; the usual one too
        where no threshold gives the table's decisions.
        """
        thresholds = {}
        for name, lowest, highest in zip(LABELS, self._least_present, self._most_absent, strict=True):
            fits = highest < _USUAL_THRESHOLD <= lowest
            threshold = lowest if np.isfinite(lowest) else np.nextafter(highest, np.float32(2))
            thresholds[name] = _USUAL_THRESHOLD if fits or highest >= threshold else min(float(threshold), 1.0)
        return thresholds
