"""What one transaction does to the index: rows written, and what must change in memory once it is committed."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from services.image_index.store.embedded import database, report_rows
from services.image_index.store.new_image import NewImage, PutOutcome
from services.image_index.store.reports import (
    NewReport,
    ReportOutcome,
    ReportPut,
    ReportTarget,
    outcome_of,
)
from services.image_index.store.row import CHECKSUM_SPACE, Change, Row, digest, make_row

_WRITTEN = (ReportOutcome.STORED, ReportOutcome.REPLACED)


class Transaction:
    """Begun and committed by the caller. Every image written or deleted is one step of the generation, and so is every
    report that changes what images are known by.

    `erased`: something was overwritten or deleted of which the log may hold a copy.
    """

    def __init__(self, connection: sqlite3.Connection, encoder: int, generation: int, checksum: int) -> None:
        self.connection = connection
        self._encoder = encoder
        self.generation = generation
        self.checksum = checksum
        self.changes: list[Change] = []
        self.erased = False

    def put(self, images: Sequence[NewImage], *, replace: bool) -> list[PutOutcome]:
        return [self._put(image, replace) for image in images]

    def _put(self, image: NewImage, replace: bool) -> PutOutcome:
        before = database.row(self.connection, image.image_id)
        stays = before is not None and not replace
        if stays and database.content_sha256(self.connection, image.image_id) != image.content_sha256:
            return PutOutcome.CONFLICT
        if not stays and database.held_elsewhere(self.connection, image):
            return PutOutcome.SECOND_ID
        own = ReportTarget("image", image.image_id)
        if image.report is not None and self._outcome(own, image.report, replace) is ReportOutcome.REMOVED:
            return PutOutcome.REPORT_REMOVED
        if not stays:
            self._write(image, before)
        if image.report is not None:
            self._put_report(own, image.report, replace)
        if stays:
            return PutOutcome.UNCHANGED
        return PutOutcome.CREATED if before is None else PutOutcome.REPLACED

    def _write(self, image: NewImage, before: Row | None) -> None:
        self.generation += 1
        self.erased |= before is not None
        database.write(self.connection, image, self._encoder, self.generation)
        evidence = report_rows.choose_of_new(self.connection, image.image_id, image.metadata.study_instance_uid)
        row = make_row(
            image.image_id, image.probabilities, image.metadata, self.generation, fingerprint=image.fingerprint
        )
        self._note(image.image_id, before, row._replace(report_evidence=evidence))
        if before is not None and before.study_instance_uid != image.metadata.study_instance_uid:
            self._forget_if_empty(before.study_instance_uid)
        if image.metadata.accession_key is not None:
            self._take_waiting(image, image.metadata.accession_key)

    def _take_waiting(self, image: NewImage, accession_key: str) -> None:
        """What came under the accession number, before any image with it, is its study's from now on."""
        study = image.metadata.study_instance_uid
        target = ReportTarget("study", study) if study else ReportTarget("image", image.image_id)
        for accession, kept in report_rows.waiting_for(self.connection, accession_key):
            report = kept.again()
            if report is None:
                report_rows.note_removal(self.connection, target, kept.issued)
            elif self._put_report(target, report, replace=False).outcome in _WRITTEN:
                report_rows.received_as(self.connection, target, accession)
            else:
                self.erased = True
            report_rows.forget(self.connection, accession)

    def delete(self, image_id: str) -> bool:
        before = self.take_out(image_id)
        if before is None:
            return False
        report_rows.forget(self.connection, ReportTarget("image", image_id))
        self._forget_if_empty(before.study_instance_uid)
        return True

    def take_out(self, image_id: str) -> Row | None:
        """What the image was; its report, and that one was removed, stay where they are."""
        before = database.row(self.connection, image_id)
        if before is not None:
            self.generation += 1
            self.erased = True
            database.delete(self.connection, image_id)
            self._note(image_id, before, None)
        return before

    def _forget_if_empty(self, study: str | None) -> None:
        """The report of a study goes with its last image."""
        if study is not None and not report_rows.images_of(self.connection, ReportTarget("study", study)):
            report_rows.forget(self.connection, ReportTarget("study", study))

    def put_reports(self, reports: Sequence[tuple[ReportTarget, NewReport]], *, replace: bool) -> list[ReportPut]:
        return [self._put_report(target, report, replace) for target, report in reports]

    def _put_report(self, target: ReportTarget, report: NewReport, replace: bool) -> ReportPut:
        if target.kind == "accession":
            found = report_rows.targets_of_accession(self.connection, target.key)
            if len(found) > 1:
                return ReportPut(ReportOutcome.AMBIGUOUS, 0, known=True)
            target = found[0] if found else target
        kept = report_rows.find(self.connection, target)
        outcome = outcome_of(report, kept, replace=replace)
        if outcome not in _WRITTEN:
            counts_for = report_rows.known_by(self.connection, kept.number) if kept else 0
            return ReportPut(outcome, counts_for, known=bool(report_rows.images_of(self.connection, target)))
        self.erased |= outcome is ReportOutcome.REPLACED
        before = self._rows_of(target)
        number = report_rows.write(self.connection, target, report)
        self._choose(before, number)
        if outcome is ReportOutcome.STORED and not before:
            outcome = ReportOutcome.WAITING
        return ReportPut(outcome, report_rows.known_by(self.connection, number), known=bool(before))

    def _outcome(self, target: ReportTarget, report: NewReport, replace: bool) -> ReportOutcome:
        return outcome_of(report, report_rows.find(self.connection, target), replace=replace)

    def delete_report(self, target: ReportTarget, when: datetime) -> bool:
        kept = report_rows.find(self.connection, target)
        if kept is None or kept.evidence is None:
            return False
        self.erased = True
        before = self._rows_of(target)
        # As late as the report itself, whose clock may go before ours: a copy of it is not of later.
        report_rows.remove(self.connection, kept.number, max(when, kept.issued))
        self._choose(before, kept.number)
        return True

    def _rows_of(self, target: ReportTarget) -> dict[str, Row]:
        """The images that its report may count for, as they are."""
        rows = [database.row(self.connection, name) for name in report_rows.images_of(self.connection, target)]
        return {row.image_id: row for row in rows if row is not None}

    def _choose(self, before: dict[str, Row], number: int) -> None:
        """After a change of the report with this number."""
        changed = report_rows.choose(self.connection, [*before], number, self.generation + 1)
        self.generation += bool(changed)
        for image_id in changed:
            self._note(image_id, before[image_id], database.row(self.connection, image_id))

    def _note(self, image_id: str, before: Row | None, after: Row | None) -> None:
        self.checksum += (digest(after) if after else 0) - (digest(before) if before else 0)
        self.checksum %= CHECKSUM_SPACE
        self.changes.append(Change(image_id, after))
