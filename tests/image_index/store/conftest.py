import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.new_image import NewImage
from shared.labels import LABELS
from shared.schemas.images import StoredMetadata

WEIGHTS = "a" * 64


def made_image(
    image_id: str, probabilities: object = 0.5, *, content: str | None = None, **metadata: object
) -> NewImage:
    vector = np.broadcast_to(np.asarray(probabilities, dtype=np.float32), len(LABELS)).copy()
    return NewImage(
        image_id=image_id,
        probabilities=vector,
        metadata=StoredMetadata(**metadata),
        content_sha256=hashlib.sha256((content or image_id).encode()).hexdigest(),
        weights_sha256=WEIGHTS,
        thumbnail=f"thumbnail of {content or image_id}".encode(),
        cam=np.full((len(LABELS), 2, 3), vector[0], dtype=np.float16),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def open_store(folder: Path) -> Callable[[], EmbeddedStore]:
    return lambda: EmbeddedStore(folder, WEIGHTS)


@pytest.fixture
def store(open_store: Callable[[], EmbeddedStore]) -> Iterator[EmbeddedStore]:
    with open_store() as store:
        yield store
