"""The embedded store: SQLite is the only truth, a gallery in memory answers searches, one process owns both."""

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.filters import passing
from services.image_index.ranking.gallery import Gallery
from services.image_index.ranking.prior import shipped_prior
from services.image_index.ranking.query import Query
from services.image_index.ranking.rank import Ranked, rank
from services.image_index.ranking.statistics import Statistics
from services.image_index.ranking.vectors import named
from services.image_index.settings import MIN_FREE_BYTES
from services.image_index.store.contract import Forgotten, Found, Hit
from services.image_index.store.embedded import database, removal, report_counts, report_rows, schema
from services.image_index.store.embedded.disk import Disk
from services.image_index.store.embedded.disk_errors import disk_errors
from services.image_index.store.embedded.file import FILE_NAME, WHAT_TO_DO, OpenedFile, make_unless_there
from services.image_index.store.embedded.group_commit import GroupCommit
from services.image_index.store.embedded.growing import GrowingGallery
from services.image_index.store.embedded.ownership import closed_on_error, own
from services.image_index.store.embedded.transaction import Transaction
from services.image_index.store.failures import PART, StoreUnusable, unavailable
from services.image_index.store.new_image import NewImage, PutOutcome
from services.image_index.store.reports import NewReport, ReportOutcome, ReportPut, ReportTarget
from services.image_index.store.row import CHECKSUM_SPACE, Row, digest
from services.image_index.store.uids import ImageUids
from shared.errors import ServiceError
from shared.labels import LABELS, LabelName
from shared.private_folder import open_folder
from shared.schemas.images import ImageRecord, ReportEvidence
from shared.schemas.studies import StudyRecord
from shared.schemas.system import IndexDescription, IndexInfo, ReportCounts
from shared.telemetry import measure

ENGINE = "embedded (SQLite, exact scan in memory)"
_UNLOCKED_READS = 3

Result = TypeVar("Result")


class EmbeddedStore:
    """Opens or makes the index in `folder`, for images encoded by the weights with this hash.

    `key_fingerprint`: of the key that patient IDs are hashed with, where any is used. `base_rates` (14,): how often
    reports state each label; the shipped prior's, where none are given.

    Raises StoreUnusable: another process has it open, it holds images of other weights, or hashes of another key, or
    its file is damaged.
    """

    def __init__(
        self,
        folder: Path,
        weights_sha256: str,
        *,
        key_fingerprint: str | None = None,
        base_rates: Vector | None = None,
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> None:
        open_folder(folder)
        self._base_rates = shipped_prior().base_rates if base_rates is None else base_rates
        self._file = folder / FILE_NAME
        self._weights_sha256 = weights_sha256
        self._key_fingerprint = key_fingerprint
        self._lock = own(folder / "index.lock", folder)
        try:
            self._writer = self._open()
        except BaseException:
            self._lock.release()
            raise
        self._reader = schema.connect(self._file, read_only=True)
        self._reading = threading.Lock()
        self._behind = False  # what is on disk did not get into memory: no write may build on what is there
        self._commits = 0
        self._counts: tuple[int, ReportCounts] | None = None  # after so many commits
        self._writes = GroupCommit[Transaction](self._commit)
        self._disk = Disk(folder, min_free_bytes)
        self._opened = OpenedFile(self._file)

    def _open(self) -> sqlite3.Connection:
        try:
            make_unless_there(self._file)
            with closed_on_error(schema.connect(self._file)) as connection:
                schema.prepare(connection)
                self._refuse_other_weights(connection)
                self._refuse_another_key(connection)
                self._encoder = database.encoder_id(connection, self._weights_sha256)
                self._growing, self._checksum = self._load(connection)
        except sqlite3.OperationalError as error:
            raise StoreUnusable(f"The index {self._file} cannot be opened ({error}). Nothing was changed.") from error
        except sqlite3.DatabaseError as error:
            raise StoreUnusable(f"The index {self._file} cannot be read ({error}). {WHAT_TO_DO}") from error
        return connection

    def _refuse_other_weights(self, connection: sqlite3.Connection) -> None:
        for weights in database.weights_in_use(connection):
            if weights != self._weights_sha256:
                raise StoreUnusable(
                    f"The index {self._file} was made with other encoder weights ({weights[:12]}…) than these "
                    f"({self._weights_sha256[:12]}…). Ingest into a new CHEX_DATA_DIR, or set CHEX_IMAGE_MODEL back."
                )

    def _refuse_another_key(self, connection: sqlite3.Connection) -> None:
        stored = database.key_fingerprint(connection)
        if self._key_fingerprint in {None, stored}:
            return
        if stored is not None and database.holds_hashes(connection):
            raise StoreUnusable(
                f"The index {self._file} holds patient IDs or accession numbers that were hashed with another key: no "
                "patient would be known again. Set CHEX_PATIENT_KEY back, or put a copy of patient.key in its place."
            )
        database.set_key_fingerprint(connection, self._key_fingerprint)

    def _load(self, connection: sqlite3.Connection) -> tuple[GrowingGallery, int]:
        generation, expected = database.state(connection)
        checksum = 0

        def blocks() -> Iterator[list[Row]]:
            nonlocal checksum
            for block in database.rows(connection):
                checksum += sum(map(digest, block))
                yield block

        growing = GrowingGallery()
        growing.load(blocks(), generation)
        if checksum % CHECKSUM_SPACE != expected:
            raise StoreUnusable(f"The index {self._file} does not match its own checksum: it is damaged. {WHAT_TO_DO}")
        return growing, expected

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
        self._lock.release()

    def put(self, images: Sequence[NewImage], *, replace: bool = False) -> list[PutOutcome]:
        if any(image.weights_sha256 != self._weights_sha256 for image in images):
            raise ValueError("images of other encoder weights cannot be put into this index")
        self._refuse_if_in_trouble()
        return self._write(lambda transaction: transaction.put(images, replace=replace))

    def delete(self, image_id: str) -> bool:
        return self._write(lambda transaction: transaction.delete(image_id))

    def delete_study(self, uid: str) -> int:
        return self._write(lambda transaction: removal.delete_study(transaction, uid, datetime.now(UTC)))

    def delete_patient(self, keys: Collection[str]) -> int:
        return self._write(lambda transaction: removal.delete_patient(transaction, keys, datetime.now(UTC)))

    def forget_before(self, when: datetime, limit: int) -> Forgotten:
        return self._write(lambda transaction: removal.forget_before(transaction, when, limit))

    def put_reports(
        self, reports: Sequence[tuple[ReportTarget, NewReport]], *, replace: bool = False
    ) -> list[ReportPut]:
        self._refuse_if_in_trouble()
        return self._write(lambda transaction: transaction.put_reports(reports, replace=replace))

    def delete_report(self, target: ReportTarget) -> bool:
        return self._write(lambda transaction: transaction.delete_report(target, datetime.now(UTC)))

    def delete_report_by_accession(self, key: str) -> ReportOutcome:
        return self._write(lambda transaction: removal.delete_by_accession(transaction, key, datetime.now(UTC)))

    def _refuse_if_in_trouble(self) -> None:
        trouble = self.write_trouble()
        if trouble is not None:
            raise unavailable(trouble)

    def _write(self, operation: Callable[[Transaction], Result]) -> Result:
        with measure("commit"), disk_errors():
            result, erased = self._writes.submit(lambda transaction: (operation(transaction), transaction.erased))
            if erased:
                self._forget()
        return result

    def _forget(self) -> None:
        """What was deleted is gone from the log as well, where older pages lie until it is written over."""
        with self._writes.pause():
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def write_trouble(self) -> str | None:
        return self._lost() or self._disk.trouble()

    def _lost(self) -> str | None:
        """Why a write would be lost, or build on what is not so, until the service is started again."""
        if self._behind:
            return "The index in memory fell behind the one on disk: restart the service."
        if not self._opened.is_what_was_opened():
            return "The file of the index was moved, replaced or cut short while in use: restart the service."
        return None

    def _commit(self, operations: Sequence[Callable[[Transaction], Any]]) -> list[Any]:
        """All operations in one transaction; once it is on disk they are published to searches, together."""
        lost = self._lost()
        if lost is not None:
            raise unavailable(lost)
        transaction = Transaction(self._writer, self._encoder, self._growing.gallery.generation, self._checksum)
        try:
            results = self._written(transaction, operations)
        except sqlite3.OperationalError:
            self._disk.failed()
            raise
        self._disk.wrote()
        self._commits += 1
        try:
            self._growing.apply(transaction.changes, transaction.generation)
        except BaseException:
            self._behind = True  # and not while it is applied: others ask meanwhile whether they may write
            raise
        self._checksum = transaction.checksum
        return results

    def _written(self, transaction: Transaction, operations: Sequence[Callable[[Transaction], Any]]) -> list[Any]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            results = [operation(transaction) for operation in operations]
            database.set_state(self._writer, transaction.generation, transaction.checksum)
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:  # after some errors SQLite has rolled back by itself
                self._writer.execute("ROLLBACK")
            raise
        return results

    def get(self, image_id: str) -> ImageRecord | None:
        with self._reading, disk_errors():
            return database.records(self._reader, [image_id], self._base_rates).get(image_id)

    def page(self, uids: ImageUids, after: str, limit: int) -> list[ImageRecord]:
        with self._reading, disk_errors():
            return database.records_after(self._reader, uids, after, limit, self._base_rates)

    def study(self, uid: str, most: int) -> StudyRecord | None:
        with self._reading, disk_errors():
            return database.study(self._reader, uid, most, self._base_rates)

    def report(self, target: ReportTarget) -> ReportEvidence | None:
        with self._reading, disk_errors():
            return report_rows.evidence_of(self._reader, target, self._base_rates)

    def stored_sha256(self, image_id: str) -> str | None:
        with self._reading, disk_errors():
            return database.content_sha256(self._reader, image_id)

    def thumbnail(self, image_id: str) -> bytes | None:
        with self._reading, disk_errors():
            return database.thumbnail(self._reader, image_id)

    def cam(self, image_id: str, label: LabelName) -> NDArray[np.float16] | None:
        with self._reading, disk_errors():
            grids = database.cam(self._reader, image_id)
        return None if grids is None else grids[LABELS.index(label)]

    def search(self, query: Query) -> Found:
        for _ in range(_UNLOCKED_READS):
            found = self._search(query)
            if found is not None:
                return found
        with self._writes.pause():  # hits change faster than they are read: hold the writers up for once
            found = self._search(query)
        if found is None:
            raise ServiceError("The index in memory and the one on disk differ.", part=PART)
        return found

    def _search(self, query: Query) -> Found | None:
        """None where a hit was replaced or deleted between the scan and the reading of its record."""
        gallery = self._growing.gallery
        fusion = partial(query.fusion, gallery.statistics)
        mask, excluded = passing(gallery, query.options.filters, query.excluded_patients, fusion)
        ranked = rank(gallery, query, mask)
        records = self._records(gallery, ranked)
        if records is None:
            return None
        return Found(
            hits=list(
                map(
                    Hit,
                    records,
                    map(named, ranked.probabilities.T),
                    ranked.disagreement.named(),
                    ranked.scores,
                    ranked.exact,
                    ranked.overlaps,
                    ranked.merged,
                )
            ),
            candidates=ranked.candidates,
            ties_at_cutoff=ranked.ties_at_cutoff,
            excluded=excluded,
            info=self._info(gallery),
            dated=not query.options.filters.asks_for_dates or gallery.has_study_dates,
        )

    def _records(self, gallery: Gallery, ranked: Ranked) -> list[ImageRecord] | None:
        image_ids = gallery.image_ids(ranked.rows)
        with self._reading, disk_errors():
            records = database.records(self._reader, image_ids, self._base_rates)
        generations = gallery.row_generation[ranked.rows].tolist()
        for image_id, generation in zip(image_ids, generations, strict=True):
            if image_id not in records or records[image_id].generation != generation:
                return None
        return [records[image_id] for image_id in image_ids]

    def statistics(self) -> Statistics:
        return self._growing.gallery.statistics

    def info(self) -> IndexInfo:
        return self._info(self._growing.gallery)

    def _info(self, gallery: Gallery) -> IndexInfo:
        return IndexInfo(
            size=gallery.size, generation=gallery.generation, engine=ENGINE, weights_sha256=self._weights_sha256
        )

    def describe(self) -> IndexDescription:
        commits, counts = self._commits, self._counts
        if counts is None or counts[0] != commits:
            # With a connection of its own, for which no search has to wait.
            with disk_errors(), closing(schema.connect(self._file, read_only=True)) as connection:
                counts = self._counts = commits, report_counts.count(connection)
        return IndexDescription(**dict(self.info()), reports=counts[1])

    def checksum(self) -> str:
        return f"{self._checksum:016x}"
