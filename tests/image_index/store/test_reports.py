"""What a store makes of reports: which one counts for which image, and what is left of one that is removed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.new_image import PutOutcome
from services.image_index.store.reports import NewReport, ReportOutcome, ReportTarget
from services.image_index.store.uids import ImageUids
from shared.errors import Unavailable
from shared.labels import State
from tests.image_index.store.conftest import WEIGHTS, made_image, made_report
from tests.image_index.store.full_disk import fill, small_disk

Open = Callable[[], EmbeddedStore]
STUDY = ReportTarget("study", "1.2.3")
NUMBER = "0123456789abcdef"
ACCESSION = ReportTarget("accession", NUMBER)
AFTER_REMOVAL = 40_000  # days: later than whenever this is run


def put(store: EmbeddedStore, target: ReportTarget, report: NewReport, *, replace: bool = False) -> ReportOutcome:
    ((outcome, _images, _known),) = store.put_reports([(target, report)], replace=replace)
    return outcome


def own(image_id: str) -> ReportTarget:
    return ReportTarget("image", image_id)


def evidence(store: EmbeddedStore) -> dict[str, float | None]:
    """Of each image, as a search sees it: the evidence for the first label."""
    gallery = store._growing.gallery
    rows = gallery.rows()
    columns = gallery.report[rows]
    values = [None if column < 0 else float(gallery.report_evidence[0, column]) for column in columns]
    return dict(zip(gallery.image_ids(rows), values, strict=True))


def test_a_study_s_report_counts_for_its_images_and_is_read_back(store: EmbeddedStore) -> None:
    store.put([made_image("a", study_instance_uid="1.2.3"), made_image("b", study_instance_uid="1.2.3")])
    store.put([made_image("c")])
    report = NewReport(
        np.linspace(-2, 2, 14).astype(np.float16),
        tuple(State)[:2] * 7,
        "c" * 64,
        datetime(2026, 3, 1, 9, 30, 0, 1, tzinfo=UTC),
    )

    assert store.put_reports([(STUDY, report)]) == [(ReportOutcome.STORED, 2, True)]
    known = store.get("a").report
    assert known == store.get("b").report == store.report(STUDY) == store.report(own("a"))
    assert store.get("c").report is None
    assert tuple(known.states.values()) == report.states
    assert (known.text_model_sha256, known.issued, known.of) == ("c" * 64, report.issued, "study")
    gallery = store._growing.gallery
    assert np.array_equal(gallery.report_evidence[:, gallery.report[gallery.rows()[0]]], report.evidence)


@pytest.mark.parametrize(
    ("own_day", "study_day", "of"),
    [(1, 2, "study"), (2, 1, "image"), (1, 1, "image"), (None, 1, "study"), (1, None, "image")],
)
@pytest.mark.parametrize("order", [1, -1])
def test_of_its_own_report_and_its_study_s_the_later_one_counts(
    store: EmbeddedStore, own_day: int | None, study_day: int | None, of: str, order: int
) -> None:
    store.put([made_image("a", study_instance_uid="1.2.3")])
    for target, day in [(own("a"), own_day), (STUDY, study_day)][::order]:
        if day is not None:
            put(store, target, made_report(day=day))

    assert store.get("a").report.of == of


def test_an_earlier_report_changes_nothing_and_the_same_one_neither(store: EmbeddedStore) -> None:
    store.put([made_image("a")])
    assert put(store, own("a"), made_report(2.0, day=2)) is ReportOutcome.STORED
    before = store.info(), store.checksum()

    assert put(store, own("a"), made_report(1.0, day=1)) is ReportOutcome.OUTDATED
    assert put(store, own("a"), made_report(2.0, day=2)) is ReportOutcome.UNCHANGED
    assert put(store, own("a"), made_report(2.0, day=3, given=False)) is ReportOutcome.UNCHANGED
    assert (store.info(), store.checksum()) == before
    assert (
        put(store, own("a"), made_report(3.0, day=2)) is ReportOutcome.REPLACED
    )  # of the same time: the one sent last
    assert put(store, own("a"), made_report(1.0, day=1), replace=True) is ReportOutcome.REPLACED
    assert evidence(store) == {"a": 1.0}


def test_a_report_is_one_step_of_the_generation_and_one_that_changes_no_image_none(store: EmbeddedStore) -> None:
    store.put([made_image("a", study_instance_uid="1.2.3"), made_image("b", study_instance_uid="1.2.3")])
    put(store, own("a"), made_report(day=2))
    steps = [store.info().generation]
    for target, day in ((STUDY, 1), (ReportTarget("study", "9.9"), 1), (STUDY, 3)):
        put(store, target, made_report(day=day))
        steps.append(store.info().generation)

    assert steps == [3, 4, 4, 5]
    assert [store.get(name).generation for name in "ab"] == [5, 5]


def test_a_report_waits_for_its_images(store: EmbeddedStore, open_store: Open) -> None:
    for target in (STUDY, own("b"), ACCESSION):
        assert put(store, target, made_report()) is ReportOutcome.WAITING
        assert put(store, target, made_report()) is ReportOutcome.UNCHANGED
    assert store.describe().reports.waiting == 3
    store.close()
    with open_store() as again:
        again.put([made_image("a", study_instance_uid="1.2.3"), made_image("b"), made_image("c", accession_key=NUMBER)])

        assert evidence(again) == {"a": 1.0, "b": 1.0, "c": 1.0}
        assert [again.get(name).report.of for name in "abc"] == ["study", "image", "image"]
        assert again.describe().reports.waiting == 0


def test_what_waited_under_an_accession_number_becomes_the_study_s(store: EmbeddedStore) -> None:
    put(store, ACCESSION, made_report(day=2))
    store.put([made_image("a", study_instance_uid="1.2.3")])
    store.put([made_image("b", study_instance_uid="1.2.3", accession_key=NUMBER)])

    assert evidence(store) == {"a": 1.0, "b": 1.0}
    assert store.report(STUDY) == store.get("a").report
    assert put(store, ACCESSION, made_report(2.0, day=1)) is ReportOutcome.OUTDATED
    assert put(store, ACCESSION, made_report(2.0, day=3)) is ReportOutcome.REPLACED
    assert evidence(store) == {"a": 2.0, "b": 2.0}


def test_what_waited_counts_for_nothing_where_the_study_s_report_is_of_later(store: EmbeddedStore) -> None:
    put(store, ACCESSION, made_report(day=1))
    put(store, STUDY, made_report(2.0, day=2))
    store.put([made_image("a", study_instance_uid="1.2.3", accession_key=NUMBER)])

    assert evidence(store) == {"a": 2.0}
    assert store.describe().reports.waiting == 0


def test_an_accession_number_of_several_studies_is_ambiguous_and_changes_nothing(store: EmbeddedStore) -> None:
    issuers = {name: f"{NUMBER}.{name * 16}" for name in "ab"}
    store.put([made_image(name, study_instance_uid=f"1.{ord(name)}", accession_key=issuers[name]) for name in "ab"])
    before = store.info(), store.checksum()

    assert put(store, ACCESSION, made_report()) is ReportOutcome.AMBIGUOUS
    assert (store.info(), store.checksum(), evidence(store)) == (*before, {"a": None, "b": None})
    assert put(store, ReportTarget("accession", issuers["b"]), made_report()) is ReportOutcome.STORED
    assert evidence(store) == {"a": None, "b": 1.0}
    assert put(store, ReportTarget("accession", f"{NUMBER}.{'c' * 16}"), made_report()) is ReportOutcome.WAITING


def test_a_report_that_names_an_issuer_is_not_of_images_that_name_none(store: EmbeddedStore) -> None:
    store.put([made_image("a", study_instance_uid="1.2.3", accession_key=NUMBER)])

    assert put(store, ReportTarget("accession", f"{NUMBER}.{'b' * 16}"), made_report()) is ReportOutcome.WAITING
    assert put(store, ACCESSION, made_report()) is ReportOutcome.STORED


def test_an_image_and_its_report_are_put_together(store: EmbeddedStore) -> None:
    assert store.put([made_image("a", report=made_report())]) == [PutOutcome.CREATED]
    assert evidence(store) == {"a": 1.0}
    assert store.put([made_image("a", report=made_report(2.0, day=2))]) == [PutOutcome.UNCHANGED]
    assert evidence(store) == {"a": 2.0}
    assert store.put([made_image("a", 0.25, content="other", report=made_report(3.0, day=3))]) == [PutOutcome.CONFLICT]
    assert evidence(store) == {"a": 2.0}
    assert store.put([made_image("a", 0.25, content="other")], replace=True) == [PutOutcome.REPLACED]
    assert evidence(store) == {"a": 2.0}
    other = made_image("a", 0.75, content="third", report=made_report(1.0))
    assert store.put([other], replace=True) == [PutOutcome.REPLACED]
    assert evidence(store) == {"a": 1.0}


def test_a_removed_report_comes_back_only_by_a_later_one_or_on_request(store: EmbeddedStore, open_store: Open) -> None:
    store.put([made_image("a")])
    put(store, own("a"), made_report())

    assert store.delete_report(own("a"))
    assert not store.delete_report(own("a"))
    assert (store.get("a").report, store.report(own("a")), evidence(store)) == (None, None, {"a": None})
    store.close()
    with open_store() as again:
        now = datetime.now(UTC)
        before = made_report(day=(now - datetime(2026, 1, 1, tzinfo=UTC)) / timedelta(days=1) - 1)
        assert put(again, own("a"), before) is ReportOutcome.REMOVED
        assert put(again, own("a"), made_report(day=AFTER_REMOVAL, given=False)) is ReportOutcome.REMOVED
        assert again.put([made_image("a", report=before)]) == [PutOutcome.REPORT_REMOVED]
        assert evidence(again) == {"a": None}
        assert put(again, own("a"), made_report(day=AFTER_REMOVAL)) is ReportOutcome.STORED
        again.delete_report(own("a"))
        assert put(again, own("a"), before, replace=True) is ReportOutcome.STORED
        assert evidence(again) == {"a": 1.0}


def test_a_copy_of_a_removed_report_is_late_though_its_clock_went_before_ours(store: EmbeddedStore) -> None:
    store.put([made_image("a", report=made_report(day=AFTER_REMOVAL))])
    store.delete_report(own("a"))

    assert put(store, own("a"), made_report(day=AFTER_REMOVAL)) is ReportOutcome.REMOVED
    assert put(store, own("a"), made_report(day=AFTER_REMOVAL + 1)) is ReportOutcome.STORED


def test_an_image_whose_report_was_removed_before_it_came_is_not_half_stored(store: EmbeddedStore) -> None:
    put(store, own("a"), made_report())
    store.delete_report(own("a"))

    assert store.put([made_image("a", report=made_report())]) == [PutOutcome.REPORT_REMOVED]
    assert store.get("a") is None
    assert store.put([made_image("a")]) == [PutOutcome.CREATED]


def test_removing_an_own_report_lets_the_study_s_count_again(store: EmbeddedStore) -> None:
    store.put([made_image("a", study_instance_uid="1.2.3"), made_image("b", study_instance_uid="1.2.3")])
    put(store, STUDY, made_report(2.0, day=1))
    put(store, own("a"), made_report(3.0, day=2))
    assert evidence(store) == {"a": 3.0, "b": 2.0}
    store.delete_report(own("a"))
    assert evidence(store) == {"a": 2.0, "b": 2.0}
    store.delete_report(STUDY)
    assert evidence(store) == {"a": None, "b": None}


@pytest.mark.parametrize("removed", [False, True])
def test_reports_go_with_their_image_and_with_the_last_image_of_their_study(
    store: EmbeddedStore, *, removed: bool
) -> None:
    store.put([made_image(name, study_instance_uid="1.2.3") for name in "ab"])
    put(store, STUDY, made_report(2.0))
    put(store, own("a"), made_report(3.0))
    if removed:
        store.delete_report(STUDY)
        store.delete_report(own("a"))
    store.delete("a")
    still = store.report(STUDY)
    store.delete("b")

    assert (still is None) == removed
    assert store.report(STUDY) is None
    assert store._writer.execute("SELECT COUNT(*) FROM reports").fetchone() == (0,)
    for target in (STUDY, own("a")):  # nothing is left that could refuse it
        assert put(store, target, made_report()) is ReportOutcome.WAITING


def test_an_image_that_moves_to_another_study_is_known_by_that_one_s_report(store: EmbeddedStore) -> None:
    put(store, STUDY, made_report(2.0))
    put(store, ReportTarget("study", "4.5.6"), made_report(3.0))
    store.put([made_image("a", study_instance_uid="1.2.3")])
    store.put([made_image("a", content="other", study_instance_uid="4.5.6")], replace=True)

    assert evidence(store) == {"a": 3.0}
    assert store.report(STUDY) is None  # it went with the last image of its study


def test_reports_and_their_times_are_the_same_after_a_restart(store: EmbeddedStore, open_store: Open) -> None:
    rng = np.random.default_rng(2)
    store.put([made_image(f"i{n}", study_instance_uid=f"1.{n // 3}") for n in range(60)])
    store.put_reports([(ReportTarget("study", f"1.{n}"), made_report(rng.normal(), day=n)) for n in range(0, 20, 2)])
    store.put_reports([(own(f"i{n}"), made_report(rng.normal(), day=7.5)) for n in range(0, 60, 5)])
    store.delete_report(own("i5"))
    before = store.describe(), store.checksum(), evidence(store), store.page(ImageUids(), "", 100)
    store.close()
    with open_store() as again:
        assert (again.describe(), again.checksum(), evidence(again), again.page(ImageUids(), "", 100)) == before


def test_one_flipped_bit_in_the_evidence_is_noticed(store: EmbeddedStore, open_store: Open) -> None:
    store.put([made_image("a", report=made_report())])
    changed = np.full(14, 1.0, dtype="<f2")
    changed[3] = np.nextafter(changed[3], np.float16(2))
    store._writer.execute("UPDATE reports SET evidence = ?", (changed.tobytes(),))
    store.close()

    with pytest.raises(Exception, match="checksum"):
        open_store()


@pytest.mark.parametrize(
    "how",
    ["report deleted", "image deleted", "study deleted", "report replaced", "replaced with its image", "never taken"],
)
def test_what_a_report_said_is_in_no_file_once_it_is_gone(store: EmbeddedStore, folder: Path, how: str) -> None:
    rng = np.random.default_rng(9)
    report = NewReport(
        rng.normal(size=14).astype(np.float16),
        tuple(rng.permutation([*State] * 4)[:14]),
        "b" * 64,
        datetime(2026, 1, 2, tzinfo=UTC),
    )
    store.put([made_image(f"other{n}", report=made_report(day=n)) for n in range(5)])
    target = {"study deleted": STUDY, "never taken": ACCESSION}.get(how, own("a"))
    image = made_image("a", study_instance_uid="1.2.3", accession_key="fedcba9876543210")
    if how == "never taken":
        put(store, STUDY, made_report(day=3))
    else:
        store.put([image])
    put(store, target, report)
    said = report.evidence.astype("<f2").tobytes()
    assert in_a_file(folder, said)
    if how == "report deleted":
        store.delete_report(target)
    elif how in ("image deleted", "study deleted"):
        store.delete("a")
        assert not in_a_file(folder, b"fedcba9876543210")
        assert not in_a_file(folder, b"1.2.3")
    elif how == "report replaced":
        put(store, target, made_report(day=3))
    elif how == "replaced with its image":
        store.put([made_image("a", report=made_report(day=3))])
    else:  # the study's is of later
        store.put([made_image("c", study_instance_uid="1.2.3", accession_key=NUMBER)])

    assert not in_a_file(folder, said)
    assert len(evidence(store)) in (5, 6)


def in_a_file(folder: Path, content: bytes) -> bool:
    return any(content in file.read_bytes() for file in folder.iterdir() if file.is_file())


def test_on_a_full_disk_no_report_is_half_kept_and_one_can_be_removed(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, EmbeddedStore(disk / "index", WEIGHTS, min_free_bytes=0) as store:
        store.put([made_image("a", study_instance_uid="1.2.3"), made_image("b", report=made_report())])
        filler = fill(disk)
        many = [(STUDY, made_report(2.0)), *((ReportTarget("study", f"9.{n}"), made_report()) for n in range(5000))]
        with pytest.raises(Unavailable, match="full"):
            store.put_reports(many)
        assert evidence(store) == {"a": None, "b": 1.0}
        filler.unlink()
        (disk / "other").write_bytes(bytes(2**21))
        store._disk._min_free_bytes = 3 * 2**20
        with pytest.raises(Unavailable, match="have to stay free"):
            store.put_reports([(STUDY, made_report(2.0))])
        assert store.delete_report(own("b"))
        assert evidence(store) == {"a": None, "b": None}
        checksum = store.checksum()
        store.close()
        with EmbeddedStore(disk / "index", WEIGHTS) as again:
            assert (again.checksum(), evidence(again)) == (checksum, {"a": None, "b": None})
            assert again.describe().reports.waiting == 0
