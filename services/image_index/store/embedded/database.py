"""The SQLite file: schema, rows in and out. It knows nothing of what is in memory.

WAL with synchronous=FULL: a commit is on the disk when it returns, and readers are not held up by the writer.
"""

import json
import os
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.vectors import named
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.new_image import NewImage
from services.image_index.store.row import Row, to_blob
from shared.labels import LABELS
from shared.private_folder import make_durable
from shared.schemas.images import ImageRecord, StoredMetadata

VERSION = 5
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
  study_instance_uid TEXT, series_instance_uid TEXT, sop_instance_uid TEXT, patient_key TEXT,
  study_date TEXT, frames INTEGER,
  study_invented INTEGER NOT NULL DEFAULT 0,
  masked_regions INTEGER,
  looks_turned INTEGER
);
-- Apart from the images, so that loading the numbers does not read the pictures.
CREATE TABLE pictures (
  row INTEGER PRIMARY KEY REFERENCES images (row) ON DELETE CASCADE,
  thumbnail BLOB NOT NULL, cam BLOB NOT NULL, cam_height INTEGER NOT NULL, cam_width INTEGER NOT NULL
);
CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), generation INTEGER NOT NULL, checksum TEXT NOT NULL);
INSERT INTO state VALUES (1, 0, '0');
"""
# From each version to the next.
_UPGRADES = {
    1: "ALTER TABLE images ADD COLUMN study_date TEXT; ALTER TABLE images ADD COLUMN frames INTEGER;",
    # What was not noted then is told by the UID's form: layouts make it of a name, and never with an instance's.
    2: """ALTER TABLE images ADD COLUMN study_invented INTEGER NOT NULL DEFAULT 0;
    UPDATE images SET study_invented = 1 WHERE sop_instance_uid IS NULL AND is_uid_of_a_name(study_instance_uid);""",
    3: "ALTER TABLE images ADD COLUMN masked_regions INTEGER;",
    4: "ALTER TABLE images ADD COLUMN looks_turned INTEGER;",
}
_METADATA = tuple(StoredMetadata.model_fields)
_ROW = f"SELECT {', '.join(Row._fields[:-1])}, NULL FROM images"  # noqa: S608 - names of our own columns, here and below
_RECORD = f"""SELECT image_id, probabilities, generation, content_sha256, weights_sha256,
EXISTS (SELECT 1 FROM pictures WHERE pictures.row = images.row), {", ".join(_METADATA)}
FROM images JOIN encoders ON encoders.id = encoder"""  # noqa: S608
_BLOCK = 10_000


def connect(file: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Opens the file for use by any one thread at a time. Transactions are begun and ended explicitly.

    Nothing is read yet: a damaged file is noticed by the first statement.
    """
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode={mode}", uri=True, check_same_thread=False)
    connection.isolation_level = None
    return connection


def create(file: Path) -> None:
    """An index without images, which only its owner may read: whole or not at all, wherever the machine stops."""
    new = file.with_name(f"{file.name}.new")
    for left in file.parent.glob(f"{new.name}*"):
        left.unlink()
    os.close(os.open(new, os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(new)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    new.rename(file)
    make_durable(file.parent)


def prepare(connection: sqlite3.Connection) -> None:
    """Adds what a file of an older version of this program lacks.

    Raises StoreUnusable for a file of a later version, and for one that is no index.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        raise StoreUnusable("The file of the index holds none: it was emptied, or is of another program.")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
    if version > VERSION:
        raise StoreUnusable(f"The index has schema version {version}; this program knows version {VERSION}.")
    connection.create_function("is_uid_of_a_name", 1, _is_uid_of_a_name, deterministic=True)
    for old in range(version, VERSION):
        connection.executescript(f"BEGIN IMMEDIATE; {_UPGRADES[old]} PRAGMA user_version = {old + 1}; COMMIT;")


def _is_uid_of_a_name(uid: str | None) -> bool:
    """Whether it is a UUID of version 5, in the form that DICOM has for UUIDs (PS3.5 B.2)."""
    arc, _dot, number = (uid or "").rpartition(".")
    return arc == "2.25" and int(number) < 2**128 and uuid.UUID(int=int(number)).version == 5


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


def records(connection: sqlite3.Connection, image_ids: Sequence[str]) -> dict[str, ImageRecord]:
    """Those of the images that are there, by id."""
    cursor = connection.execute(
        f"{_RECORD} WHERE image_id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(list(image_ids)),),
    )
    return {found[0]: _record(found) for found in cursor}


def _record(found: Sequence[Any]) -> ImageRecord:
    image_id, blob, generation, content_sha256, weights_sha256, pictured, *metadata = found
    return ImageRecord(
        image_id=image_id,
        probabilities=named(np.frombuffer(blob, dtype="<f4")),
        metadata=StoredMetadata(**dict(zip(_METADATA, metadata, strict=True))),
        content_sha256=content_sha256,
        weights_sha256=weights_sha256,
        generation=generation,
        pictured=bool(pictured),
    )


def row(connection: sqlite3.Connection, image_id: str) -> Row | None:
    found = connection.execute(f"{_ROW} WHERE image_id = ?", (image_id,)).fetchone()
    return None if found is None else Row(*found)


def content_sha256(connection: sqlite3.Connection, image_id: str) -> str | None:
    found = connection.execute("SELECT content_sha256 FROM images WHERE image_id = ?", (image_id,)).fetchone()
    return None if found is None else str(found[0])


def rows(connection: sqlite3.Connection) -> Iterator[list[Row]]:
    """All rows, in blocks."""
    cursor = connection.execute(_ROW)
    while block := cursor.fetchmany(_BLOCK):
        yield [Row(*found) for found in block]


def write(connection: sqlite3.Connection, image: NewImage, encoder: int, generation: int) -> None:
    """Insert or replace one image with its pictures, if it has any."""
    metadata = image.metadata.model_dump(mode="json")
    values = (
        image.image_id,
        encoder,
        to_blob(image.probabilities),
        generation,
        image.content_sha256,
        *(metadata[name] for name in _METADATA),
    )
    columns = ("image_id", "encoder", "probabilities", "generation", "content_sha256", *_METADATA)
    (row,) = connection.execute(
        f"INSERT INTO images ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "  # noqa: S608
        f"ON CONFLICT (image_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)} "
        "RETURNING row",
        values,
    ).fetchone()
    if image.thumbnail is None or image.cam is None:
        connection.execute("DELETE FROM pictures WHERE row = ?", (row,))
        return
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
