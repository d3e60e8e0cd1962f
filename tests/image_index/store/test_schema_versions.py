import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.image_index.ingest.layouts import chexpert_study
from services.image_index.ranking.gallery import NO_DAY
from services.image_index.ranking.prior import shipped_prior
from services.image_index.store.contract import Forgotten
from services.image_index.store.embedded import database, schema
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.reports import ReportOutcome, ReportPut, ReportTarget
from tests.image_index.store.conftest import WEIGHTS, made_image, made_report

MADE_BY_VERSION_5 = (Path(__file__).parent / "version_5.sql").read_text()  # a dump of what that program wrote
MADE_BY_VERSION_6 = (Path(__file__).parent / "version_6.sql").read_text()  # likewise
VERSION_5 = "\n".join(
    line for line in MADE_BY_VERSION_5.splitlines() if not line.startswith(("BEGIN", "INSERT", "COMMIT", "PRAGMA"))
)
VERSION_4 = VERSION_5.replace(",\n  looks_turned INTEGER", "")
VERSION_3 = VERSION_4.replace(",\n  masked_regions INTEGER", "")
VERSION_2 = VERSION_3.replace(",\n  study_invented INTEGER NOT NULL DEFAULT 0", "")
VERSION_1 = VERSION_2.replace(",\n  study_date TEXT, frames INTEGER", "")
_PATIENT, INVENTED = chexpert_study("train/patient00001/study1/view1_frontal.jpg")
BASE_RATES = shipped_prior().base_rates
RANDOM_UUID = "2.25.329800735698586629295641978511506172918"


@contextmanager
def old_index(file: Path, tables: str, version: int) -> Iterator[sqlite3.Connection]:
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file)) as old, old:
        old.executescript(f"{tables} PRAGMA user_version = {version};")
        old.execute("INSERT INTO state VALUES (1, 0, '0')")
        old.execute("INSERT INTO encoders VALUES (1, ?)", (WEIGHTS,))
        yield old


@pytest.mark.parametrize(
    ("tables", "version"), [(VERSION_1, 1), (VERSION_2, 2), (VERSION_3, 3), (VERSION_4, 4), (VERSION_5, 5)]
)
def test_an_index_of_an_older_version_gets_the_columns_it_lacks(tmp_path: Path, tables: str, version: int) -> None:
    file = tmp_path / "index.sqlite"
    with old_index(file, tables, version) as old:
        old.execute(
            "INSERT INTO images (image_id, encoder, probabilities, generation, content_sha256, view_position)"
            " VALUES ('a', 1, zeroblob(56), 7, 'sha', 'PA')"
        )
    with closing(schema.connect(file)) as connection:
        schema.prepare(connection)
        record = database.records(connection, ["a"], BASE_RATES)["a"]

    assert "looks_turned" not in VERSION_4
    assert "masked_regions" not in VERSION_3
    assert "study_invented" not in VERSION_2
    assert "study_date" not in VERSION_1
    assert (record.generation, record.metadata.view_position, record.pictured) == (7, "PA", False)
    assert (record.metadata.study_date, record.metadata.frames, record.metadata.study_invented) == (None, None, False)
    assert record.metadata.masked_regions is None
    assert record.metadata.looks_turned is None
    assert (record.metadata.accession_key, record.report) == (None, None)


@pytest.mark.parametrize(("tables", "version"), [(VERSION_1, 1), (VERSION_2, 2)])
def test_studies_that_an_older_version_invented_are_known_by_their_form(
    tmp_path: Path, tables: str, version: int
) -> None:
    file = tmp_path / "index.sqlite"
    studies = {
        "invented": (INVENTED, None),
        "from a DICOM file": (INVENTED, "1.2.3"),
        "random": (RANDOM_UUID, None),
        "plain": ("1.2.840.1", None),
        "too long": ("2.25." + "9" * 50, None),
        "none": (None, None),
    }
    with old_index(file, tables, version) as old:
        old.executemany(
            "INSERT INTO images (image_id, encoder, probabilities, generation, content_sha256, study_instance_uid, "
            "sop_instance_uid) VALUES (?, 1, zeroblob(56), 7, 'sha', ?, ?)",
            [(name.replace(" ", "-"), *uids) for name, uids in studies.items()],
        )
    with closing(schema.connect(file)) as connection:
        schema.prepare(connection)
        records = database.records(connection, [name.replace(" ", "-") for name in studies], BASE_RATES)

    assert {name for name, record in records.items() if record.metadata.study_invented} == {"invented"}
    assert records["invented"].metadata.study_instance_uid == INVENTED


def old_file(folder: Path, dump: str = MADE_BY_VERSION_5) -> Path:
    folder.mkdir()
    file = folder / "index.sqlite3"
    with closing(sqlite3.connect(file)) as old, old:
        old.executescript(dump)
    return file


def test_an_index_of_version_5_is_served_with_the_same_checksum_and_written_to(folder: Path) -> None:
    old_file(folder)
    with EmbeddedStore(folder, WEIGHTS) as store:
        assert (store.checksum(), store.info().generation) == ("205267df270d4b48", 4)
        a, b, c = (store.get(name) for name in "abc")
        assert a.metadata.patient_key == "0123456789abcdef"
        assert (b.metadata.looks_turned, b.metadata.masked_regions, c.probabilities["Edema"]) == (90, 2, 0.5)
        assert [record.report for record in (a, b, c)] == [None, None, None]
        assert store.thumbnail("c") == b"thumbnail of other"
        assert store.put_reports([(ReportTarget("study", "1.2.3"), made_report(1.5))]) == [
            ReportPut(ReportOutcome.STORED, 2, known=True)
        ]
        store.put([made_image("d", study_instance_uid="1.2.3", accession_key="0" * 16)])
        checksum = store.checksum()
    with EmbeddedStore(folder, WEIGHTS) as again:
        assert again.checksum() == checksum
        known = {name: again.get(name).report for name in "abcd"}

    assert {name for name, report in known.items() if report} == {"a", "b", "d"}


def test_in_an_index_of_version_6_dates_begin_to_count_and_all_is_received_now(folder: Path) -> None:
    file = old_file(folder, MADE_BY_VERSION_6)
    began = datetime.now(UTC) - timedelta(seconds=2)
    with EmbeddedStore(folder, WEIGHTS) as store:
        checksum, gallery = store.checksum(), store._growing.gallery
        assert store.info().generation == 4
        assert checksum != "9d8dcb49c9b4445d"  # as that program had it
        assert gallery.study_day.tolist() == [date(2026, 3, 1).toordinal(), date(2026, 3, 2).toordinal(), NO_DAY]
        assert gallery.fingerprints.any(axis=0).tolist() == [True, False, False]  # of the one picture that is a JPEG
        assert [store.get(name).report is not None for name in "abc"] == [True, True, False]
        assert store.forget_before(began, 9) == Forgotten(0, 0)
    with EmbeddedStore(folder, WEIGHTS) as again:
        assert again.checksum() == checksum
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE images SET study_date = '2020-01-01' WHERE image_id = 'a'")
    with pytest.raises(StoreUnusable, match="checksum"):
        EmbeddedStore(folder, WEIGHTS)


def test_a_damaged_index_of_version_6_is_not_made_whole_by_bringing_it_up_to_date(folder: Path) -> None:
    with closing(sqlite3.connect(old_file(folder, MADE_BY_VERSION_6))) as old, old:
        old.execute("UPDATE images SET patient_age = 64 WHERE image_id = 'a'")
    with pytest.raises(StoreUnusable, match="checksum"):
        EmbeddedStore(folder, WEIGHTS)


def test_an_upgraded_index_has_the_schema_of_a_new_one(folder: Path, tmp_path: Path) -> None:
    schemas = []
    for file in (old_file(folder), tmp_path / "new.sqlite3"):
        if not file.exists():
            schema.create(file)
        with closing(schema.connect(file)) as connection:
            schema.prepare(connection)
            names = connection.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
            columns = [connection.execute(f"PRAGMA table_info({name})").fetchall() for (name,) in names]
            schemas.append((names, columns))

    assert schemas[0] == schemas[1]
