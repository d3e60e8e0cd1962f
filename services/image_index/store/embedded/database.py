"""The images in the SQLite file: rows in and out. It knows nothing of what is in memory."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.vectors import named
from services.image_index.store.embedded import report_rows
from services.image_index.store.embedded.moments import microseconds, now
from services.image_index.store.new_image import NewImage
from services.image_index.store.reports import ReportTarget
from services.image_index.store.row import Row, to_blob
from services.image_index.store.uids import ImageUids
from shared.labels import LABELS
from shared.schemas.images import ImageRecord, StoredMetadata
from shared.schemas.studies import StudyRecord

_METADATA = tuple(StoredMetadata.model_fields)
_WRITTEN = ("image_id", "encoder", "probabilities", "generation", "content_sha256", "received", "fingerprint")
_ROW = f"""SELECT {", ".join(Row._fields[:-1])}, evidence
FROM images LEFT JOIN reports ON number = report"""  # noqa: S608 - names of our own columns, here and below
_RECORD = f"""SELECT image_id, probabilities, generation, content_sha256, encoders.weights_sha256,
EXISTS (SELECT 1 FROM pictures WHERE pictures.row = images.row),
kind, {", ".join(_METADATA)}, {report_rows.KEPT}
FROM images JOIN encoders ON encoders.id = encoder
LEFT JOIN reports ON number = report LEFT JOIN text_models ON text_models.id = text_model"""  # noqa: S608
_BLOCK = 10_000


def state(connection: sqlite3.Connection) -> tuple[int, int]:
    """Generation and checksum, as of the last commit."""
    generation, checksum = connection.execute("SELECT generation, checksum FROM state").fetchone()
    return generation, int(checksum, 16)


def key_fingerprint(connection: sqlite3.Connection) -> str | None:
    (fingerprint,) = connection.execute("SELECT key_fingerprint FROM state").fetchone()
    return None if fingerprint is None else str(fingerprint)


def set_key_fingerprint(connection: sqlite3.Connection, fingerprint: str) -> None:
    connection.execute("UPDATE state SET key_fingerprint = ?", (fingerprint,))


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


def holds_hashes(connection: sqlite3.Connection) -> bool:
    """Also of a file that an older version has written, which knows no accession numbers."""
    known = {name for _number, name, *_ in connection.execute("PRAGMA table_info(images)")}
    either = " OR ".join(f"{name} IS NOT NULL" for name in ("patient_key", "accession_key") if name in known)
    (found,) = connection.execute(f"SELECT EXISTS (SELECT 1 FROM images WHERE {either})").fetchone()  # noqa: S608
    return bool(found)


def encoder_id(connection: sqlite3.Connection, weights_sha256: str) -> int:
    connection.execute("INSERT OR IGNORE INTO encoders (weights_sha256) VALUES (?)", (weights_sha256,))
    (number,) = connection.execute("SELECT id FROM encoders WHERE weights_sha256 = ?", (weights_sha256,)).fetchone()
    return int(number)


def records(connection: sqlite3.Connection, image_ids: Sequence[str], base_rates: Vector) -> dict[str, ImageRecord]:
    """Those of the images that are there, by id. `base_rates` (14,): how often reports state each label."""
    cursor = connection.execute(
        f"{_RECORD} WHERE image_id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(list(image_ids)),),
    )
    return {found[0]: _record(found, base_rates) for found in cursor}


def records_after(
    connection: sqlite3.Connection, uids: ImageUids, after: str, limit: int, base_rates: Vector
) -> list[ImageRecord]:
    """In order of their ids, from the first one behind `after` on."""
    wanted = {name: uid for name, uid in uids._asdict().items() if uid is not None}
    where = " AND ".join(["image_id > ?", *(f"{name} = ?" for name in wanted)])
    cursor = connection.execute(
        f"{_RECORD} WHERE {where} ORDER BY image_id LIMIT ?",
        (after, *wanted.values(), limit),
    )
    return [_record(found, base_rates) for found in cursor]


def study(connection: sqlite3.Connection, uid: str, most: int, base_rates: Vector) -> StudyRecord | None:
    """With so many images at most. None where there is neither an image of it nor a report."""
    connection.execute("BEGIN")  # all of one moment
    try:
        size, day = connection.execute(
            "SELECT COUNT(*), MIN(study_date) FROM images WHERE study_instance_uid = ?", (uid,)
        ).fetchone()
        images = records_after(connection, ImageUids(study_instance_uid=uid), "", most, base_rates)
        report = report_rows.evidence_of(connection, ReportTarget("study", uid), base_rates)
    finally:
        connection.execute("ROLLBACK")
    if not size and report is None:
        return None
    return StudyRecord(study_instance_uid=uid, study_date=day, size=size, images=images, report=report)


def _record(found: Sequence[Any], base_rates: Vector) -> ImageRecord:
    image_id, blob, generation, content_sha256, weights_sha256, pictured, of, *more = found
    metadata, kept = more[: len(_METADATA)], more[len(_METADATA) :]
    return ImageRecord(
        image_id=image_id,
        probabilities=named(np.frombuffer(blob, dtype="<f4")),
        metadata=StoredMetadata(**dict(zip(_METADATA, metadata, strict=True))),
        content_sha256=content_sha256,
        weights_sha256=weights_sha256,
        generation=generation,
        pictured=bool(pictured),
        report=None if of is None else report_rows.kept(kept).shown(of, base_rates),
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


def held_elsewhere(connection: sqlite3.Connection, image: NewImage) -> bool:
    """Whether to write the image would put an object that is stored under another id under this one too."""
    found = connection.execute(
        """SELECT 1 FROM images WHERE image_id != :id AND (
        content_sha256 = :content AND NOT EXISTS (
          SELECT 1 FROM images WHERE image_id = :id AND content_sha256 = :content)
        OR sop_instance_uid = :sop AND NOT EXISTS (
          SELECT 1 FROM images WHERE image_id = :id AND sop_instance_uid = :sop)) LIMIT 1""",
        {"id": image.image_id, "content": image.content_sha256, "sop": image.metadata.sop_instance_uid},
    ).fetchone()
    return found is not None


def write(connection: sqlite3.Connection, image: NewImage, encoder: int, generation: int) -> None:
    """Insert or replace one image with its pictures, if it has any. It is received now."""
    metadata = image.metadata.model_dump(mode="json")
    values = (
        image.image_id,
        encoder,
        to_blob(image.probabilities),
        generation,
        image.content_sha256,
        now(),
        image.fingerprint,
        *(metadata[name] for name in _METADATA),
    )
    columns = (*_WRITTEN, *_METADATA)
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


def received_before(connection: sqlite3.Connection, when: datetime, limit: int) -> list[str]:
    """The ids of images; whatever came first, first."""
    query = "SELECT image_id FROM images WHERE received < ? ORDER BY received LIMIT ?"
    return [image_id for (image_id,) in connection.execute(query, (microseconds(when), limit))]


def of_patient(connection: sqlite3.Connection, keys: Collection[str]) -> tuple[list[str], list[str]]:
    """The images under any of the keys, with those of the same studies of which no patient is known; the studies."""
    asked = (json.dumps(sorted(keys)),)
    of_keys = "patient_key IN (SELECT value FROM json_each(?))"
    studies = [
        study
        for (study,) in connection.execute(
            f"SELECT DISTINCT study_instance_uid FROM images WHERE {of_keys} AND study_instance_uid IS NOT NULL",  # noqa: S608
            asked,
        )
    ]
    images = connection.execute(
        f"SELECT image_id FROM images WHERE {of_keys} UNION SELECT image_id FROM images WHERE patient_key IS NULL "  # noqa: S608
        "AND study_instance_uid IN (SELECT value FROM json_each(?))",
        (*asked, json.dumps(studies)),
    )
    return [image_id for (image_id,) in images], studies


def accession_keys(connection: sqlite3.Connection, image_ids: Sequence[str]) -> list[str]:
    found = connection.execute(
        "SELECT DISTINCT accession_key FROM images WHERE accession_key IS NOT NULL "
        "AND image_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(image_ids)),),
    )
    return [key for (key,) in found]


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
