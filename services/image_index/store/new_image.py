"""What is put into a store, and what becomes of it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

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


class PutOutcome(StrEnum):
    CREATED = "created"
    UNCHANGED = "unchanged"  # the same content is stored under this id
    REPLACED = "replaced"
    CONFLICT = "conflict"  # other content is stored under this id; nothing was changed
