"""What goes in one transaction: a study, a patient, a report by its accession number, what was there too long."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from services.image_index.store.contract import Forgotten
from services.image_index.store.embedded import database, report_rows
from services.image_index.store.embedded.transaction import Transaction
from services.image_index.store.reports import ReportOutcome, ReportTarget


def delete_study(transaction: Transaction, study: str, when: datetime) -> int:
    images = report_rows.images_of(transaction.connection, ReportTarget("study", study))
    return _delete(transaction, images, [study], when)


def delete_patient(transaction: Transaction, keys: Collection[str], when: datetime) -> int:
    images, studies = database.of_patient(transaction.connection, keys)
    return _delete(transaction, images, studies, when)


def _delete(transaction: Transaction, images: Sequence[str], studies: Sequence[str], when: datetime) -> int:
    connection = transaction.connection
    accessions = database.accession_keys(connection, images)
    for image_id in images:
        transaction.take_out(image_id)
    targets = [ReportTarget("study", study) for study in studies] + [ReportTarget("image", name) for name in images]
    if sum(transaction.delete_report(target, when) for target in targets):
        # A copy that names the study by its number would wait, for no image tells any more whose number it is.
        for number in {spelling for key in accessions for spelling in (key, key.partition(".")[0])}:
            report_rows.note_removal(connection, ReportTarget("accession", number), when)
    return len(images)


def delete_by_accession(transaction: Transaction, key: str, when: datetime) -> ReportOutcome:
    connection = transaction.connection
    found = report_rows.targets_of_accession(connection, key) + report_rows.waiting_under(connection, key)
    if len(found) > 1:
        return ReportOutcome.AMBIGUOUS
    removed = any(transaction.delete_report(target, when) for target in found)
    return ReportOutcome.REMOVED if removed else ReportOutcome.UNCHANGED


def forget_before(transaction: Transaction, when: datetime, limit: int) -> Forgotten:
    connection = transaction.connection
    images = database.received_before(connection, when, limit)
    for image_id in images:
        transaction.delete(image_id)
    reports = report_rows.received_before(connection, when, limit - len(images))
    for target in reports:
        transaction.delete_report(target, datetime.now(UTC))  # no image is known by it any more
        report_rows.forget(connection, target)
    return Forgotten(len(images), len(reports))
