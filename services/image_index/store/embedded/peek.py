"""A look into an index from outside, without owning it."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from services.image_index.store.embedded import database, schema
from services.image_index.store.embedded.file import FILE_NAME
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.reported import ReportedImages
from services.image_index.store.reports import stated
from shared.labels import LABELS

# A view that is not known is taken for a frontal one. No key of one kind is one of another.
_REPORTED = """SELECT
coalesce('patient ' || patient_key, 'study ' || study_instance_uid, 'image ' || image_id),
probabilities, states, evidence, text_models.weights_sha256
FROM images JOIN reports ON number = report JOIN text_models ON text_models.id = text_model
WHERE evidence IS NOT NULL AND (view_position IS NULL OR view_position != 'LATERAL') ORDER BY image_id"""


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(schema.connect(file, read_only=True)) as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        raise StoreUnusable(f"The index {file} cannot be read ({error}).") from error


def weights_of(folder: Path) -> str | None:
    """The hash of the weights that made its images; None where it has none, or cannot tell before it is opened."""
    file = folder / FILE_NAME
    if not file.exists():
        return None
    with _opened(file) as connection:
        return next(iter(database.weights_in_use(connection)), None)


def holds_hashes(folder: Path) -> bool:
    """Whether any image is known by a hash of its patient's ID or of its accession number."""
    file = folder / FILE_NAME
    if not file.exists():
        return False
    with _opened(file) as connection:
        return database.holds_hashes(connection)


@contextmanager
def stored_hashes(folder: Path, weights_sha256: str) -> Iterator[Callable[[str], str | None]]:
    """The content's SHA-256 by image id, read while another process may own it.

    Raises StoreUnusable where an ingest with these weights would be refused.
    """
    file = folder / FILE_NAME
    if not file.exists():
        yield lambda _image_id: None
        return
    lock = threading.Lock()
    with _opened(file) as connection:
        others = [weights for weights in database.weights_in_use(connection) if weights != weights_sha256]
        if others:
            raise StoreUnusable(
                f"The index {file} was made with other encoder weights ({others[0][:12]}…) than these "
                f"({weights_sha256[:12]}…): it would take none of the images. Choose a new CHEX_DATA_DIR."
            )

        def stored_sha256(image_id: str) -> str | None:
            with lock:
                return database.content_sha256(connection, image_id)

        yield stored_sha256


def reported_images(folder: Path) -> ReportedImages:
    """Those that are no lateral views, of one moment, read while another process may own it. Raises StoreUnusable."""
    file = folder / FILE_NAME
    if not file.exists():
        raise StoreUnusable(f"There is no index in {folder}. Set CHEX_DATA_DIR (for a command, --data-dir).")
    with _opened(file) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != schema.VERSION:
            raise StoreUnusable(
                f"The index {file} has schema version {version}, not {schema.VERSION}: start the service of this "
                "version once, which brings an older one up to date."
            )
        found = connection.execute(_REPORTED).fetchall()
    patients, probabilities, states, evidence, text_models = zip(*found, strict=True) if found else ((),) * 5
    shape = -1, len(LABELS)
    return ReportedImages(
        np.array(patients, dtype=np.str_),
        np.frombuffer(b"".join(probabilities), dtype="<f4").reshape(shape),
        stated(b"".join(states)).reshape(shape),
        np.frombuffer(b"".join(evidence), dtype="<f2").reshape(shape),
        Counter(text_models),
    )
