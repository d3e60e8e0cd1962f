"""A study, a patient, a report by its number, and what was there too long: gone in one step, from disk and searches."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from services.image_index.ranking.query import Query
from services.image_index.store.contract import Forgotten
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.new_image import PutOutcome
from services.image_index.store.reports import ReportOutcome, ReportTarget
from services.image_index.store.uids import ImageUids
from tests.image_index.store.conftest import made_image, made_report

Open = Callable[[], EmbeddedStore]
STUDY = ReportTarget("study", "1.2.3")
NUMBER = "0123456789abcdef"
ACCESSION = ReportTarget("accession", NUMBER)
ANN, BOB = "a" * 16, "b" * 16


def outcome(store: EmbeddedStore, target: ReportTarget, day: float = 1) -> ReportOutcome:
    return store.put_reports([(target, made_report(day=day))])[0].outcome


def ids(store: EmbeddedStore) -> list[str]:
    return [record.image_id for record in store.page(ImageUids(), "", 1000)]


def found(store: EmbeddedStore) -> set[str]:
    return {hit.record.image_id for hit in store.search(Query(np.ones(14))).hits}


@pytest.fixture
def full(store: EmbeddedStore) -> EmbeddedStore:
    """A study of two images with a report, one of them with its own; and an image of another."""
    of_study = {"study_instance_uid": "1.2.3", "patient_key": ANN, "accession_key": NUMBER}
    store.put([made_image("a", **of_study, report=made_report(2.0)), made_image("b", **of_study)])
    store.put([made_image("c", study_instance_uid="9.9", patient_key=BOB)])
    outcome(store, STUDY)
    return store


def test_a_study_is_read_as_a_whole(full: EmbeddedStore) -> None:
    study = full.study("1.2.3", 1)
    assert study is not None
    assert (study.size, [image.image_id for image in study.images]) == (2, ["a"])
    assert study.report == full.report(STUDY)
    assert full.study("9.9", 10).report is None
    assert full.study("1", 10) is None


def test_a_study_whose_report_waits_is_known_without_images(store: EmbeddedStore) -> None:
    outcome(store, STUDY)
    study = store.study("1.2.3", 10)
    assert (study.size, study.images, study.report.of) == (0, [], "study")


def test_a_study_goes_in_one_step_with_all_that_was_said_of_it(
    full: EmbeddedStore, open_store: Open, folder: Path
) -> None:
    assert full.delete_study("1.2.3") == 2
    assert full.delete_study("1.2.3") == 0
    assert (ids(full), found(full), full.study("1.2.3", 9)) == (["c"], {"c"}, None)
    checksum = full.checksum()
    full.close()
    for file in folder.glob("index.sqlite3*"):
        assert b"thumbnail of a" not in file.read_bytes()
    with open_store() as again:
        assert (ids(again), again.checksum()) == (["c"], checksum)


@pytest.mark.parametrize(
    "target", [STUDY, ReportTarget("image", "a"), ACCESSION], ids=["of the study", "of an image", "by its number"]
)
def test_a_late_copy_of_a_removed_report_does_not_come_back(full: EmbeddedStore, target: ReportTarget) -> None:
    full.delete_study("1.2.3")

    assert outcome(full, target) is ReportOutcome.REMOVED
    full.put([made_image("new", study_instance_uid="1.2.3", accession_key=NUMBER)])
    assert outcome(full, target) is ReportOutcome.REMOVED
    assert full.get("new").report is None
    assert outcome(full, target, day=40_000) in {ReportOutcome.STORED, ReportOutcome.WAITING}


def test_a_report_that_waits_for_a_study_goes_with_it(store: EmbeddedStore) -> None:
    outcome(store, STUDY)
    assert store.delete_study("1.2.3") == 0
    assert (store.describe().reports.waiting, outcome(store, STUDY)) == (0, ReportOutcome.REMOVED)


def test_a_patient_goes_with_all_studies_and_what_belongs_to_them(full: EmbeddedStore) -> None:
    full.put([made_image("unnamed", study_instance_uid="1.2.3"), made_image("alone", patient_key=ANN)])
    full.put([made_image("of-bob", study_instance_uid="1.2.3", patient_key=BOB)])

    assert full.delete_patient([ANN, "c" * 16]) == 4
    assert full.delete_patient([ANN]) == 0
    assert ids(full) == ["c", "of-bob"]
    assert full.get("of-bob").report is None  # the study's, which was of the patient
    assert outcome(full, STUDY) is ReportOutcome.REMOVED


def test_a_report_that_waits_under_a_number_is_removed_by_it(store: EmbeddedStore) -> None:
    outcome(store, ACCESSION)
    assert store.delete_report_by_accession(NUMBER) is ReportOutcome.REMOVED
    assert store.delete_report_by_accession(NUMBER) is ReportOutcome.UNCHANGED
    assert (store.describe().reports.waiting, outcome(store, ACCESSION)) == (0, ReportOutcome.REMOVED)
    store.put([made_image("a", study_instance_uid="1.2.3", accession_key=NUMBER)])
    assert outcome(store, ACCESSION) is ReportOutcome.REMOVED  # nor later, when the number is a study's


def test_a_number_finds_the_report_of_its_study(full: EmbeddedStore) -> None:
    assert full.delete_report_by_accession(NUMBER) is ReportOutcome.REMOVED
    assert full.report(STUDY) is None


def test_a_number_without_its_issuer_finds_what_waits_unless_it_is_several(store: EmbeddedStore) -> None:
    issued = [f"{NUMBER}.{letter * 16}" for letter in "ab"]
    for key in issued:
        outcome(store, ReportTarget("accession", key))
    assert store.delete_report_by_accession(NUMBER) is ReportOutcome.AMBIGUOUS
    assert store.describe().reports.waiting == 2
    assert store.delete_report_by_accession(issued[0]) is ReportOutcome.REMOVED
    assert store.delete_report_by_accession(NUMBER) is ReportOutcome.REMOVED
    assert store.describe().reports.waiting == 0


def test_what_was_received_before_a_moment_is_forgotten_in_small_steps(full: EmbeddedStore) -> None:
    outcome(full, ReportTarget("study", "7.7"))
    soon, past = datetime.now(UTC) + timedelta(minutes=1), datetime.now(UTC) - timedelta(minutes=1)

    assert full.forget_before(past, 10) == Forgotten(0, 0)
    assert full.forget_before(soon, 2) == Forgotten(2, 0)
    assert ids(full) == ["c"]
    assert full.forget_before(soon, 9) == Forgotten(1, 1)
    assert full.forget_before(soon, 9) == Forgotten(0, 0)
    assert full._writer.execute("SELECT COUNT(*) FROM reports").fetchone() == (0,)


def test_a_report_that_is_older_than_its_image_is_forgotten_before_it(store: EmbeddedStore) -> None:
    outcome(store, ACCESSION)
    between = datetime.now(UTC)
    store.put([made_image("a", study_instance_uid="1.2.3", accession_key=NUMBER)])
    assert store.get("a").report is not None

    assert store.forget_before(between, 9) == Forgotten(0, 1)
    assert (ids(store), store.get("a").report) == (["a"], None)
    assert outcome(store, ACCESSION) is ReportOutcome.STORED  # as if it had never been there


def test_an_image_that_is_sent_again_does_not_stay_for_longer(store: EmbeddedStore) -> None:
    store.put([made_image("a")])
    between = datetime.now(UTC)
    store.put([made_image("a")])
    assert store.forget_before(between, 9) == Forgotten(1, 0)


def test_the_same_object_is_refused_under_a_second_id(store: EmbeddedStore) -> None:
    store.put([made_image("a", content="one", sop_instance_uid="1.1"), made_image("b", content="two")])
    before = store.checksum()
    twice = made_image("c", content="one"), made_image("c", content="other", sop_instance_uid="1.1")
    for again in twice:
        assert store.put([again]) == store.put([again], replace=True) == [PutOutcome.SECOND_ID]
    assert store.put([made_image("b", content="one")], replace=True) == [PutOutcome.SECOND_ID]
    assert store.put([made_image("a", content="one", sop_instance_uid="1.1")]) == [PutOutcome.UNCHANGED]
    assert store.checksum() == before
    both = [made_image("d", content="new"), made_image("e", content="new")]
    assert store.put(both) == [PutOutcome.CREATED, PutOutcome.SECOND_ID]
    store.delete("a")
    assert store.put([twice[0]]) == [PutOutcome.CREATED]


def test_doubles_that_are_there_already_stay_and_can_be_written_again(store: EmbeddedStore, open_store: Open) -> None:
    store.put([made_image("a", content="one"), made_image("b", content="two")])
    (content,) = store._writer.execute("SELECT content_sha256 FROM images WHERE image_id = 'a'").fetchone()
    store._writer.execute("UPDATE images SET content_sha256 = ?", (content,))
    store.close()
    with open_store() as again:
        assert ids(again) == ["a", "b"]
        assert again.put([made_image("b", content="one")]) == [PutOutcome.UNCHANGED]
        assert again.put([made_image("b", content="one", patient_age=63)], replace=True) == [PutOutcome.REPLACED]
        assert again.put([made_image("c", content="one")]) == [PutOutcome.SECOND_ID]
