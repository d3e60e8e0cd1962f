import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from services.image_index.ingest.layouts import chexpert_study
from services.image_index.store.embedded import database
from services.image_index.store.embedded.store import EmbeddedStore
from tests.image_index.store.conftest import WEIGHTS, made_image

VERSION_4 = database._SCHEMA.replace(",\n  looks_turned INTEGER", "")
VERSION_3 = VERSION_4.replace(",\n  masked_regions INTEGER", "")
VERSION_2 = VERSION_3.replace(",\n  study_invented INTEGER NOT NULL DEFAULT 0", "")
VERSION_1 = VERSION_2.replace(",\n  study_date TEXT, frames INTEGER", "")
_PATIENT, INVENTED = chexpert_study("train/patient00001/study1/view1_frontal.jpg")
RANDOM_UUID = "2.25.329800735698586629295641978511506172918"


@contextmanager
def old_index(file: Path, schema: str, version: int) -> Iterator[sqlite3.Connection]:
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file)) as old, old:
        old.executescript(f"{schema} PRAGMA user_version = {version};")
        old.execute("INSERT INTO encoders VALUES (1, ?)", (WEIGHTS,))
        yield old


@pytest.mark.parametrize(("schema", "version"), [(VERSION_1, 1), (VERSION_2, 2), (VERSION_3, 3), (VERSION_4, 4)])
def test_an_index_of_an_older_version_gets_the_columns_it_lacks(tmp_path: Path, schema: str, version: int) -> None:
    file = tmp_path / "index.sqlite"
    with old_index(file, schema, version) as old:
        old.execute(
            "INSERT INTO images (image_id, encoder, probabilities, generation, content_sha256, view_position)"
            " VALUES ('a', 1, zeroblob(56), 7, 'sha', 'PA')"
        )
    with closing(database.connect(file)) as connection:
        database.prepare(connection)
        record = database.records(connection, ["a"])["a"]

    assert "looks_turned" not in VERSION_4
    assert "masked_regions" not in VERSION_3
    assert "study_invented" not in VERSION_2
    assert "study_date" not in VERSION_1
    assert (record.generation, record.metadata.view_position, record.pictured) == (7, "PA", False)
    assert (record.metadata.study_date, record.metadata.frames, record.metadata.study_invented) == (None, None, False)
    assert record.metadata.masked_regions is None
    assert record.metadata.looks_turned is None


@pytest.mark.parametrize(("schema", "version"), [(VERSION_1, 1), (VERSION_2, 2)])
def test_studies_that_an_older_version_invented_are_known_by_their_form(
    tmp_path: Path, schema: str, version: int
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
    with old_index(file, schema, version) as old:
        old.executemany(
            "INSERT INTO images (image_id, encoder, probabilities, generation, content_sha256, study_instance_uid, "
            "sop_instance_uid) VALUES (?, 1, zeroblob(56), 7, 'sha', ?, ?)",
            [(name.replace(" ", "-"), *uids) for name, uids in studies.items()],
        )
    with closing(database.connect(file)) as connection:
        database.prepare(connection)
        records = database.records(connection, [name.replace(" ", "-") for name in studies])

    assert {name for name, record in records.items() if record.metadata.study_invented} == {"invented"}
    assert records["invented"].metadata.study_instance_uid == INVENTED


def test_an_index_of_an_older_version_is_served_with_the_same_checksum_and_written_to(
    folder: Path, tmp_path: Path
) -> None:
    with EmbeddedStore(folder, WEIGHTS) as new:
        new.put([made_image("a"), made_image("b", study_instance_uid=INVENTED)])
        checksum = new.checksum()
    with closing(sqlite3.connect(folder / "index.sqlite3")) as file, file:
        file.executescript(
            "ALTER TABLE images DROP COLUMN looks_turned; ALTER TABLE images DROP COLUMN masked_regions;"
            "ALTER TABLE images DROP COLUMN study_invented;"
            "PRAGMA user_version = 2;"
        )
    with EmbeddedStore(folder, WEIGHTS) as again:
        assert again.checksum() == checksum
        again.put([made_image("c", study_invented=True, looks_turned=270)])
        found = {name: again.get(name) for name in "abc"}

    assert {name: record.metadata.study_invented for name, record in found.items()} == {
        "a": False,
        "b": True,
        "c": True,
    }
    assert [record.metadata.looks_turned for record in found.values()] == [None, None, 270]
    assert all(record.pictured for record in found.values())
