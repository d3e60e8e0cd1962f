"""What is put into a store, and what becomes of it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from services.image_index.store.reports import NewReport
from shared.schemas.images import StoredMetadata


@dataclass(frozen=True)
class NewImage:
    image_id: str
    probabilities: NDArray[np.float32]  # (14,) in the order of LABELS
    metadata: StoredMetadata
    content_sha256: str
    weights_sha256: str
    thumbnail: bytes | None  # JPEG; None where only the probabilities are known
    cam: NDArray[np.float16] | None  # (14, h, w): the class-activation grids; there where a thumbnail is
    report: NewReport | None = None  # of this very image
    fingerprint: bytes | None = None  # of the picture, see `pictures.fingerprint`


class PutOutcome(StrEnum):
    CREATED = "created"
    UNCHANGED = "unchanged"  # the same content is stored under this id; a report that came with it may be new
    REPLACED = "replaced"
    SECOND_ID = "second_id"  # the same object is stored under another id; nothing was changed
    CONFLICT = "conflict"  # other content is stored under this id; nothing was changed
    REPORT_REMOVED = "report_removed"  # one was removed after its report was issued; nothing was changed
