import sqlite3
from pathlib import Path

from services.image_index.store import database

VERSION_1 = database._SCHEMA.replace(",\n  study_date TEXT, frames INTEGER", "")


def test_an_index_of_the_first_version_gets_the_columns_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "index.sqlite"
    with sqlite3.connect(file) as old:
        old.executescript(f"{VERSION_1} PRAGMA user_version = 1;")
        old.execute("INSERT INTO encoders VALUES (1, 'weights')")
        old.execute(
            "INSERT INTO images (image_id, encoder, probabilities, generation, content_sha256, view_position)"
            " VALUES ('a', 1, zeroblob(56), 7, 'sha', 'PA')"
        )
    old.close()
    connection = database.connect(file)
    database.prepare(connection)
    record = database.records(connection, ["a"])["a"]
    connection.close()

    assert "study_date" not in VERSION_1
    assert (record.generation, record.metadata.view_position) == (7, "PA")
    assert (record.metadata.study_date, record.metadata.frames) == (None, None)
