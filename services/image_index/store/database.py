"""The SQLite file: schema, rows in and out. It knows nothing of what is in memory.

WAL with synchronous=FULL: a commit is on the disk when it returns, and readers are not held up by the writer.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.image_index.store.base import NewImage, StoreUnusable
from services.image_index.store.growing import Row
from shared.labels import LABELS
from shared.schemas.images import ImageRecord, Probabilities, StoredMetadata

VERSION = 1
_SCHEMA = """
CREATE TABLE encoders (id INTEGER PRIMARY KEY, weights_sha256 TEXT NOT NULL UNIQUE);
CREATE TABLE images (
  row INTEGER PRIMARY KEY,
  image_id TEXT NOT NULL UNIQUE,
  encoder INTEGER NOT NULL REFERENCES encoders (id),
  probabilities BLOB NOT NULL CHECK (length(probabilities) = 56),
  generation INTEGER NOT NULL,
  content_sha256 TEXT NOT NULL,
  view_position TEXT, patient_sex TEXT, patient_age REAL,
  study_instance_uid TEXT, series_instance_uid TEXT, sop_instance_uid TEXT, patient_key TEXT
);
-- Apart from the images, so that loading the numbers does not read the pictures.
CREATE TABLE pictures (
  row INTEGER PRIMARY KEY REFERENCES images (row) ON DELETE CASCADE,
  thumbnail BLOB NOT NULL, cam BLOB NOT NULL, cam_height INTEGER NOT NULL, cam_width INTEGER NOT NULL
);
CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), generation INTEGER NOT NULL, checksum TEXT NOT NULL);
INSERT INTO state VALUES (1, 0, '0');
"""
_METADATA = tuple(StoredMetadata.model_fields)
_SELECT = f"SELECT image_id, probabilities, generation, content_sha256, weights_sha256, {', '.join(_METADATA)} \
FROM images JOIN encoders ON encoders.id = encoder"  # noqa: S608 - names of our own columns
_BLOCK = 10_000


def connect(file: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Opens the file for use by any one thread at a time. Transactions are begun and ended explicitly.

    Nothing is read yet: a damaged file is noticed by the first statement.
    """
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode={mode}", uri=True, check_same_thread=False)
    connection.isolation_level = None
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the tables in a new file. Raises StoreUnusable for a file of a later version of this program."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    elif version != VERSION:
        raise StoreUnusable(f"The index has schema version {version}; this program knows version {VERSION}.")


def state(connection: sqlite3.Connection) -> tuple[int, int]:
    """Generation and checksum, as of the last commit."""
    generation, checksum = connection.execute("SELECT generation, checksum FROM state").fetchone()
    return generation, int(checksum, 16)


def set_state(connection: sqlite3.Connection, generation: int, checksum: int) -> None:
    connection.execute("UPDATE state SET generation = ?, checksum = ?", (generation, f"{checksum:016x}"))


def weights_in_use(connection: sqlite3.Connection) -> list[str]:
    """The hashes of the encoder weights that made any of the rows."""
    return [
        weights
        for (weights,) in connection.execute(
            "SELECT weights_sha256 FROM encoders WHERE EXISTS (SELECT 1 FROM images WHERE encoder = encoders.id)"
        )
    ]


def encoder_id(connection: sqlite3.Connection, weights_sha256: str) -> int:
    connection.execute("INSERT OR IGNORE INTO encoders (weights_sha256) VALUES (?)", (weights_sha256,))
    (number,) = connection.execute("SELECT id FROM encoders WHERE weights_sha256 = ?", (weights_sha256,)).fetchone()
    return int(number)


def record(connection: sqlite3.Connection, image_id: str) -> ImageRecord | None:
    found = connection.execute(f"{_SELECT} WHERE image_id = ?", (image_id,)).fetchone()
    if found is None:
        return None
    _id, blob, generation, content_sha256, weights_sha256, *metadata = found
    return ImageRecord(
        image_id=image_id,
        probabilities=named(_probabilities(blob)),
        metadata=_metadata(metadata),
        content_sha256=content_sha256,
        weights_sha256=weights_sha256,
        generation=generation,
    )


def named(probabilities: NDArray[np.float32]) -> Probabilities:
    """As decimals of seven places: what float32 holds, without the digits that it does not."""
    return {name: round(float(p), 7) for name, p in zip(LABELS, probabilities, strict=True)}


def row(connection: sqlite3.Connection, image_id: str) -> tuple[Row, str] | None:
    """One row with the hash of its content."""
    found = connection.execute(f"{_SELECT} WHERE image_id = ?", (image_id,)).fetchone()
    return None if found is None else (_row(found), found[3])


def rows(connection: sqlite3.Connection) -> Iterator[list[Row]]:
    """All rows, in blocks."""
    cursor = connection.execute(_SELECT)
    while block := cursor.fetchmany(_BLOCK):
        yield [_row(found) for found in block]


def _row(found: Sequence[Any]) -> Row:
    image_id, blob, generation, _content, _weights, *metadata = found
    return Row(image_id, _probabilities(blob), _metadata(metadata), generation)


def write(connection: sqlite3.Connection, image: NewImage, encoder: int, generation: int) -> None:
    """Insert or replace one image with its pictures."""
    values = (
        image.image_id,
        encoder,
        image.probabilities.astype("<f4").tobytes(),
        generation,
        image.content_sha256,
        *(getattr(image.metadata, name) for name in _METADATA),
    )
    columns = ("image_id", "encoder", "probabilities", "generation", "content_sha256", *_METADATA)
    (row,) = connection.execute(
        f"INSERT INTO images ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "  # noqa: S608
        f"ON CONFLICT (image_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)} "
        "RETURNING row",
        values,
    ).fetchone()
    _labels, height, width = image.cam.shape
    connection.execute(
        "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?)",
        (row, image.thumbnail, image.cam.astype("<f2").tobytes(), height, width),
    )


def delete(connection: sqlite3.Connection, image_id: str) -> None:
    connection.execute("DELETE FROM images WHERE image_id = ?", (image_id,))


def thumbnail(connection: sqlite3.Connection, image_id: str) -> bytes | None:
    found = connection.execute(
        "SELECT thumbnail FROM pictures JOIN images USING (row) WHERE image_id = ?", (image_id,)
    ).fetchone()
    return None if found is None else bytes(found[0])


def cam(connection: sqlite3.Connection, image_id: str) -> NDArray[np.float16] | None:
    found = connection.execute(
        "SELECT cam, cam_height, cam_width FROM pictures JOIN images USING (row) WHERE image_id = ?", (image_id,)
    ).fetchone()
    return None if found is None else np.frombuffer(found[0], dtype="<f2").reshape(len(LABELS), *found[1:])


def digest(row: Row) -> int:
    """64 bits of one row. The sum over all rows, modulo 2^64, is the checksum of an index, whatever their order."""
    m = row.metadata
    text = "\x1f".join(map(str, (row.image_id, m.view_position, m.patient_sex, m.patient_age, m.study_instance_uid)))
    content = row.probabilities.astype("<f4").tobytes() + f"{text}\x1f{m.patient_key}\x1f{row.generation}".encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())


def _probabilities(blob: bytes) -> NDArray[np.float32]:
    return np.frombuffer(blob, dtype="<f4")


def _metadata(values: Sequence[object]) -> StoredMetadata:
    # What the database holds was validated on its way in; checking it again would triple the time of a start.
    fields: dict[str, Any] = dict(zip(_METADATA, values, strict=True))
    return StoredMetadata.model_construct(**fields)
