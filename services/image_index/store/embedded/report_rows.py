"""The reports in the SQLite file, and which of them counts for which image."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.image_index.ranking.arrays import Vector
from services.image_index.store.embedded.moments import microseconds, moment, now
from services.image_index.store.reports import KeptReport, NewReport, ReportTarget, report_blob, state_codes
from shared.schemas.images import ReportEvidence

KEPT = "number, evidence, states, text_models.weights_sha256, issued, issued_given"
# Of an image's own report and its study's, the one that was issued later; its own where both were at once.
_COUNTS_FOR = """SELECT number, evidence FROM reports WHERE evidence IS NOT NULL AND (
(kind = 'image' AND target = {image}) OR (kind = 'study' AND target = {study})
) ORDER BY issued DESC, kind = 'image' DESC LIMIT 1"""
_COUNTS = f"(SELECT number FROM ({_COUNTS_FOR.format(image='images.image_id', study='images.study_instance_uid')}))"  # noqa: S608
# A number finds images whoever gave it: their keys are the number's, or go on behind it with a dot.
_OF_KEY = "accession_key >= :key AND accession_key < :key || '/'"
_OF = {
    "image": "image_id = :key",
    "study": "study_instance_uid = :key",
    "accession": _OF_KEY,
}


def find(connection: sqlite3.Connection, target: ReportTarget) -> KeptReport | None:
    """Also where it was removed."""
    found = connection.execute(
        f"SELECT {KEPT} FROM reports LEFT JOIN text_models ON id = text_model WHERE kind = ? AND target = ?",  # noqa: S608
        target,
    ).fetchone()
    return None if found is None else kept(found)


def evidence_of(connection: sqlite3.Connection, target: ReportTarget, base_rates: Vector) -> ReportEvidence | None:
    """Of an image that is there, what counts for it; else what is stored of the target."""
    if target.kind == "image":
        found = connection.execute(
            "SELECT kind, target FROM images JOIN reports ON number = report WHERE image_id = ?", (target.key,)
        ).fetchone()
        target = ReportTarget(*found) if found else target
    stored = find(connection, target)
    return None if stored is None else stored.shown(target.kind, base_rates)


def kept(found: Sequence[Any]) -> KeptReport:
    """Of the columns KEPT."""
    number, evidence, states, text_model, issued, given = found
    return KeptReport(number, evidence, states, text_model, moment(issued), bool(given))


def write(connection: sqlite3.Connection, target: ReportTarget, report: NewReport) -> int:
    """Insert or replace it; its number."""
    text_model = report.text_model_sha256
    connection.execute("INSERT OR IGNORE INTO text_models (weights_sha256) VALUES (?)", (text_model,))
    (number,) = connection.execute(
        "INSERT INTO reports (kind, target, evidence, states, text_model, issued, issued_given, received) "
        "VALUES (?, ?, ?, ?, (SELECT id FROM text_models WHERE weights_sha256 = ?), ?, ?, ?) "
        "ON CONFLICT (kind, target) DO UPDATE SET evidence = excluded.evidence, states = excluded.states, "
        "text_model = excluded.text_model, issued = excluded.issued, issued_given = excluded.issued_given, "
        "received = excluded.received "
        "RETURNING number",
        (
            *target,
            report_blob(report.evidence),
            state_codes(report.states),
            text_model,
            microseconds(report.issued),
            report.issued_given,
            now(),
        ),
    ).fetchone()
    return int(number)


def remove(connection: sqlite3.Connection, number: int, when: datetime) -> None:
    """All that is left of it is when it was removed."""
    connection.execute(
        "UPDATE reports SET evidence = NULL, states = NULL, text_model = NULL, issued = ?, issued_given = 0, "
        "received = ? WHERE number = ?",
        (microseconds(when), now(), number),
    )


def note_removal(connection: sqlite3.Connection, target: ReportTarget, when: datetime) -> None:
    """Where nothing is stored of the target: as if a report of it had been removed then."""
    connection.execute(
        "INSERT OR IGNORE INTO reports (kind, target, issued, issued_given, received) VALUES (?, ?, ?, 0, ?)",
        (*target, microseconds(when), now()),
    )


def received_as(connection: sqlite3.Connection, target: ReportTarget, before: ReportTarget) -> None:
    """What is stored of one target now was received when it was that of another."""
    connection.execute(
        "UPDATE reports SET received = (SELECT received FROM reports WHERE kind = ? AND target = ?) "
        "WHERE kind = ? AND target = ?",
        (*before, *target),
    )


def forget(connection: sqlite3.Connection, target: ReportTarget) -> None:
    """The report, or that it was removed. No image may be known by it any more."""
    connection.execute("DELETE FROM reports WHERE kind = ? AND target = ?", target)


def waiting_for(connection: sqlite3.Connection, accession_key: str) -> list[tuple[ReportTarget, KeptReport]]:
    """Reports that came before the images whose accession number they name; of the number alone, and of its issuer."""
    number, _dot, _issuer = accession_key.partition(".")
    targets = [ReportTarget("accession", key) for key in dict.fromkeys((number, accession_key))]
    return [(target, stored) for target in targets if (stored := find(connection, target)) is not None]


def waiting_under(connection: sqlite3.Connection, key: str) -> list[ReportTarget]:
    """Reports that wait under an accession number; without an issuer, whoever gave it."""
    found = connection.execute(
        "SELECT target FROM reports WHERE kind = 'accession' AND evidence IS NOT NULL "
        "AND target >= :key AND target < :key || '/' ORDER BY target",
        {"key": key},
    )
    return [ReportTarget("accession", target) for (target,) in found]


def received_before(connection: sqlite3.Connection, when: datetime, limit: int) -> list[ReportTarget]:
    """Also those of which only their removal is known. Whatever came first, first."""
    found = connection.execute(
        "SELECT kind, target FROM reports WHERE received < ? ORDER BY received LIMIT ?", (microseconds(when), limit)
    )
    return [ReportTarget(*row) for row in found]


def targets_of_accession(connection: sqlite3.Connection, key: str) -> list[ReportTarget]:
    """The studies of the images with an accession number, and those images that are of no study; two at most."""
    found = connection.execute(
        f"""SELECT DISTINCT CASE WHEN study_instance_uid IS NULL THEN 'image' ELSE 'study' END,
        ifnull(study_instance_uid, image_id) FROM images WHERE {_OF_KEY} LIMIT 2""",  # noqa: S608
        {"key": key},
    )
    return [ReportTarget(*row) for row in found]


def images_of(connection: sqlite3.Connection, target: ReportTarget) -> list[str]:
    query = f"SELECT image_id FROM images WHERE {_OF[target.kind]} ORDER BY image_id"  # noqa: S608
    return [image_id for (image_id,) in connection.execute(query, {"key": target.key})]


def known_by(connection: sqlite3.Connection, number: int) -> int:
    """For how many images the report counts."""
    (count,) = connection.execute("SELECT COUNT(*) FROM images WHERE report = ?", (number,)).fetchone()
    return int(count)


def choose(connection: sqlite3.Connection, image_ids: Sequence[str], number: int, generation: int) -> list[str]:
    """Decides anew which report counts for the images, after a change of the one with this number. Those for which it
    counted, or counts now, are written in this generation, and returned.
    """
    cursor = connection.execute(
        f"UPDATE images SET report = {_COUNTS}, generation = :generation "  # noqa: S608
        f"WHERE image_id IN (SELECT value FROM json_each(:ids)) AND (report = :number OR {_COUNTS} = :number) "
        "RETURNING image_id",
        {"generation": generation, "ids": json.dumps(list(image_ids)), "number": number},
    )
    return [image_id for (image_id,) in cursor.fetchall()]


def choose_of_new(connection: sqlite3.Connection, image_id: str, study: str | None) -> bytes | None:
    """Of an image that was just written; the evidence of what counts for it."""
    found = connection.execute(_COUNTS_FOR.format(image=":image", study=":study"), {"image": image_id, "study": study})
    number, evidence = found.fetchone() or (None, None)
    connection.execute(
        "UPDATE images SET report = :it WHERE image_id = :image AND report IS NOT :it",
        {"it": number, "image": image_id},
    )
    return evidence
