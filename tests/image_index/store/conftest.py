import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.new_image import NewImage
from services.image_index.store.reports import NewReport
from shared.labels import LABELS, State
from shared.schemas.images import StoredMetadata

WEIGHTS = "a" * 64


def made_image(
    image_id: str,
    probabilities: object = 0.5,
    *,
    content: str | None = None,
    report: NewReport | None = None,
    **metadata: object,
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
        report=report,
    )


def made_report(
    value: float = 1.0, day: float = 1, *, given: bool = True, state: State = State.PRESENT, text_model: str = "b" * 64
) -> NewReport:
    """Evidence that is `value` for every label, issued so many days after the beginning of 2026."""
    evidence = np.full(len(LABELS), value, dtype=np.float16)
    issued = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return NewReport(evidence, (state,) * len(LABELS), text_model, issued, given)


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
