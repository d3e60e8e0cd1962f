"""The schema of the SQLite file, and the way to it from every older one.

WAL with synchronous=FULL: a commit is on the disk when it returns, and readers are not held up by the writer.
"""

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

from services.image_index.pictures.fingerprint import fingerprint_of
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.row import CHECKSUM_SPACE, Row, digest
from shared.private_folder import make_durable

VERSION = 7
_REPORTS = """
CREATE TABLE text_models (id INTEGER PRIMARY KEY, weights_sha256 TEXT NOT NULL UNIQUE);
-- Of an image, of a study, or of the accession number of images that are not there yet. One without evidence was
-- removed, at the time `issued` (UTC, in microseconds since 1970): a late copy of it is known by that.
CREATE TABLE reports (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('image', 'study', 'accession')),
  target TEXT NOT NULL,
  evidence BLOB CHECK (length(evidence) = 28),
  states BLOB CHECK (length(states) = 14),
  text_model INTEGER REFERENCES text_models (id),
  issued INTEGER NOT NULL,
  issued_given INTEGER NOT NULL,
  UNIQUE (kind, target)
);
-- Of the key that patient IDs and accession numbers are hashed with: with another one nobody would be known again.
ALTER TABLE state ADD COLUMN key_fingerprint TEXT;
CREATE INDEX images_by_study ON images (study_instance_uid) WHERE study_instance_uid IS NOT NULL;
CREATE INDEX images_by_series ON images (series_instance_uid) WHERE series_instance_uid IS NOT NULL;
CREATE INDEX images_by_sop ON images (sop_instance_uid) WHERE sop_instance_uid IS NOT NULL;
CREATE INDEX images_by_accession ON images (accession_key) WHERE accession_key IS NOT NULL;
CREATE INDEX images_by_report ON images (report) WHERE report IS NOT NULL;
"""
# When what was there before came is not known: it counts as received when the file is brought up to date.
_ARCHIVE = """
ALTER TABLE images ADD COLUMN received INTEGER NOT NULL DEFAULT 0;  -- microseconds since 1970, as of the reports
ALTER TABLE images ADD COLUMN fingerprint BLOB CHECK (length(fingerprint) = 32);
ALTER TABLE reports ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
UPDATE images SET received = unixepoch() * 1000000;
UPDATE reports SET received = unixepoch() * 1000000;
CREATE INDEX images_by_patient ON images (patient_key) WHERE patient_key IS NOT NULL;
CREATE INDEX images_by_content ON images (content_sha256);
CREATE INDEX images_by_receipt ON images (received);
CREATE INDEX reports_by_receipt ON reports (received);
"""
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
  looks_turned INTEGER,
  accession_key TEXT,
  report INTEGER REFERENCES reports (number)  -- the one that counts for it: its own, or its study's
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
    5: f"""ALTER TABLE images ADD COLUMN accession_key TEXT;
    ALTER TABLE images ADD COLUMN report INTEGER REFERENCES reports (number); {_REPORTS}""",
    # Until then the digest of a row left its study date out.
    6: f"""{_ARCHIVE}
    UPDATE images SET fingerprint = (SELECT fingerprint_of(thumbnail) FROM pictures WHERE pictures.row = images.row);
    UPDATE state SET checksum = coalesce((
      SELECT with_dates(checksum, {", ".join(Row._fields[:-2])}, NULL, evidence)
      FROM images LEFT JOIN reports ON number = report WHERE study_date IS NOT NULL
    ), checksum);""",  # noqa: S608 - names of our own columns
}


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
        connection.executescript(
            f"BEGIN IMMEDIATE; {_SCHEMA} {_REPORTS} {_ARCHIVE} PRAGMA user_version = {VERSION}; COMMIT;"
        )
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
    connection.create_function("fingerprint_of", 1, fingerprint_of, deterministic=True)
    connection.create_aggregate("with_dates", -1, _WithDates)  # type: ignore[arg-type]  # of several columns
    for old in range(version, VERSION):
        connection.executescript(f"BEGIN IMMEDIATE; {_UPGRADES[old]} PRAGMA user_version = {old + 1}; COMMIT;")


class _WithDates:
    """The checksum of an index once the study dates of these rows count in it."""

    def __init__(self) -> None:
        self._checksum: int | None = None

    def step(self, checksum: str, *columns: Any) -> None:
        row = Row(*columns)
        before = int(checksum, 16) if self._checksum is None else self._checksum
        self._checksum = before + digest(row) - digest(row._replace(study_date=None))

    def finalize(self) -> str | None:
        return None if self._checksum is None else f"{self._checksum % CHECKSUM_SPACE:016x}"


def _is_uid_of_a_name(uid: str | None) -> bool:
    """Whether it is a UUID of version 5, in the form that DICOM has for UUIDs (PS3.5 B.2)."""
    arc, _dot, number = (uid or "").rpartition(".")
    return arc == "2.25" and int(number) < 2**128 and uuid.UUID(int=int(number)).version == 5
