import os
import signal
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from services.image_index.ingest.layouts import chexpert_study
from services.image_index.ingest.predictions.load import check, import_rows
from services.image_index.ingest.predictions.table import PredictionTable, TableUnusable
from services.image_index.patient_keys import PatientKeys
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.new_image import NewImage, PutOutcome
from shared.image_ids import image_id_of
from shared.labels import LABELS
from tests.image_index.ingest.predictions.made_predictions import HEADER, made_rows, write_table
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

KEYS = PatientKeys(b"key")
WEIGHTS = "a" * 64
FIRST_PROBABILITY = HEADER.index("prob_Atelectasis")
FIRST_DECISION = HEADER.index("pred_Atelectasis")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "index", WEIGHTS) as store:
        yield store


def test_every_line_becomes_an_image_with_its_patient_study_and_view(tmp_path: Path, store: EmbeddedStore) -> None:
    rows = made_rows(12)
    outcomes = import_rows(PredictionTable(write_table(tmp_path / "p.csv", rows)), store, KEYS, WEIGHTS)

    assert outcomes == Counter({PutOutcome.CREATED: 12})
    path = str(rows[5][0])
    record = store.get(image_id_of(path))
    assert record is not None
    assert record.image_id == "CheXpert-v1.0:train:patient00001:study1:view2_lateral"
    assert list(record.probabilities.values()) == pytest.approx(rows[5][FIRST_PROBABILITY:FIRST_DECISION])
    assert record.metadata.patient_key == KEYS.key_of("patient00001")
    assert record.metadata.study_instance_uid == chexpert_study(path)[1]
    assert record.metadata.view_position == "LATERAL"
    assert store.thumbnail(record.image_id) is None
    assert store.cam(record.image_id, "Edema") is None


def test_only_path_and_probabilities_are_needed(tmp_path: Path, store: EmbeddedStore) -> None:
    header = ["prob_" + label for label in reversed(LABELS)] + ["path_to_image", "patient_id"]
    rows = [[*np.linspace(0, 1, 14), "a/b.png", "P1"], [*np.zeros(14), "c.png", ""]]
    table = PredictionTable(write_table(tmp_path / "p.csv", rows, header))

    assert set(check(table).thresholds.values()) == {0.5}
    assert import_rows(table, store, KEYS, WEIGHTS).total() == 2
    record, other = store.get("a:b"), store.get("c")
    assert record is not None
    assert other is not None
    assert list(record.probabilities.values()) == pytest.approx(np.linspace(1, 0, 14))
    assert record.metadata.patient_key == KEYS.key_of("P1")
    assert other.metadata.patient_key is None


def test_thresholds_are_those_of_the_tables_decisions(tmp_path: Path) -> None:
    rows = made_rows(400, threshold=0.3)
    for row in rows:
        row[FIRST_DECISION + 1] = int(row[FIRST_PROBABILITY + 1] >= 0.5)  # the usual threshold
        row[FIRST_DECISION + 2] = 0  # never present
        row[FIRST_DECISION + 3] = int(row[FIRST_PROBABILITY + 3] < 0.5)  # no threshold does that
    thresholds = check(PredictionTable(write_table(tmp_path / "p.csv", rows))).thresholds

    p = np.array([row[FIRST_PROBABILITY:FIRST_DECISION] for row in rows], dtype=np.float32)
    decided = np.array([row[FIRST_DECISION:] for row in rows], dtype=bool)
    limits = np.array([thresholds[name] for name in LABELS])
    explained = (p >= limits.astype(np.float32)) == decided
    assert explained.all(axis=0).tolist() == [column != 3 for column in range(14)]
    assert limits[1] == limits[3] == 0.5
    assert 0.3 <= limits[0] < 0.32


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        (FIRST_PROBABILITY, "nan", "prob_Atelectasis is nan, and no probability"),
        (FIRST_PROBABILITY + 13, "1.0001", "prob_Support Devices is 1.0001"),
        (FIRST_PROBABILITY + 3, "-0.1", "prob_Edema is -0.1"),
        (FIRST_PROBABILITY + 3, "inf", "prob_Edema is inf"),
        (FIRST_PROBABILITY, "", "prob_Atelectasis is '', and no number"),
        (FIRST_PROBABILITY, "high", "prob_Atelectasis is 'high', and no number"),
        (FIRST_DECISION + 8, "2", "pred_No Finding is '2', and neither 0 nor 1"),
        (0, "", "path_to_image is empty"),
        (0, "CheXpert-v1.0/train/patient00000/study1/view1_frontal.jpg", "which an earlier line gave already"),
    ],
)
def test_a_faulty_line_is_named_with_what_is_wrong(tmp_path: Path, column: int, value: str, says: str) -> None:
    rows = made_rows(6)
    rows[4][column] = value
    checked = check(PredictionTable(write_table(tmp_path / "p.csv", rows)))

    assert checked.bad_lines == 1
    (bad,) = checked.bad
    assert bad.number == 6
    assert says in bad.reason


def test_a_line_that_is_too_short_is_faulty(tmp_path: Path) -> None:
    rows = made_rows(3)
    rows[1] = rows[1][:-1]
    (bad,) = check(PredictionTable(write_table(tmp_path / "p.csv", rows))).bad

    assert (bad.number, bad.reason) == (3, "42 cells, but the header has 43.")


def test_missing_and_doubled_columns_are_named(tmp_path: Path) -> None:
    without = [name for name in HEADER if name not in {"prob_Edema", "path_to_image"}]
    with pytest.raises(TableUnusable, match="line 1: the columns path_to_image, prob_Edema are missing"):
        PredictionTable(write_table(tmp_path / "p.csv", [], without))
    with pytest.raises(TableUnusable, match="prob_Edema are there more than once"):
        PredictionTable(write_table(tmp_path / "p.csv", [], [*HEADER, "prob_Edema"]))


def test_a_file_that_is_no_text_is_refused_as_a_whole(tmp_path: Path) -> None:
    file = write_table(tmp_path / "p.csv", made_rows(2))
    file.write_bytes(file.read_bytes() + b"\xff\xfe\n")
    with pytest.raises(TableUnusable, match=r"p\.csv, line 4, byte 1 of it \(0xFF\): not UTF-8"):
        check(PredictionTable(file))


def test_a_second_import_changes_nothing_and_other_values_conflict(tmp_path: Path, store: EmbeddedStore) -> None:
    rows = made_rows(8)
    table = PredictionTable(write_table(tmp_path / "p.csv", rows))
    import_rows(table, store, KEYS, WEIGHTS)
    checksum = store.checksum()

    assert import_rows(table, store, KEYS, WEIGHTS) == Counter({PutOutcome.UNCHANGED: 8})
    assert store.checksum() == checksum
    rows[3][FIRST_PROBABILITY] = 0.123
    changed = PredictionTable(write_table(tmp_path / "q.csv", rows))
    assert import_rows(changed, store, KEYS, WEIGHTS) == Counter({PutOutcome.UNCHANGED: 7, PutOutcome.CONFLICT: 1})
    assert import_rows(changed, store, KEYS, WEIGHTS, replace=True)[PutOutcome.REPLACED] == 8


class Sink:
    """Keeps nothing: what grows is the importer's own."""

    def put(self, images: Sequence[NewImage], *, replace: bool = False) -> list[PutOutcome]:
        return [PutOutcome.CREATED] * len(images)


def peaks_of_import(*files: Path) -> list[int]:
    """Bytes of memory that each import needs at most, one after the other."""
    peaks = []
    for file in files:
        tracemalloc.start()
        import_rows(PredictionTable(file), Sink(), KEYS, WEIGHTS)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return peaks


def test_a_long_table_is_never_held_whole(tmp_path: Path) -> None:
    files = [write_table(tmp_path / f"{count}.csv", made_rows(count)) for count in (4000, 9000)]
    # In a process of its own: what other tests left behind, or left running, is not the importer's.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        _first, short, long = process.submit(peaks_of_import, files[0], *files).result()

    # Of a line, the hash of its name is kept; all of it would be some 2,000 bytes. Python's own table of names may
    # double meanwhile, which is 400 bytes a line.
    assert long - short < 5000 * 1000


def run_command(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.image_index", "import-predictions", *arguments, "--data-dir", str(data_dir)],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_refuses_a_faulty_table_whole_and_says_which_lines(tmp_path: Path) -> None:
    rows = made_rows(6)
    rows[2][FIRST_PROBABILITY] = "nan"
    rows[4][FIRST_PROBABILITY] = 7
    file = write_table(tmp_path / "p.csv", rows)
    result = run_command(tmp_path / "data", str(file))

    assert result.returncode == 1
    assert f"{file}, line 4: prob_Atelectasis is nan" in result.stderr
    assert f"{file}, line 6: prob_Atelectasis is 7" in result.stderr
    assert "Nothing was imported" in result.stderr
    assert not (tmp_path / "data").exists()


def test_an_import_that_was_killed_goes_on_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    file = write_table(tmp_path / "p.csv", made_rows(14_000))
    data = tmp_path / "data"
    command = [sys.executable, "-m", "services.image_index", "import-predictions", str(file), "--data-dir", str(data)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not committed(data / "image-index" / "index.sqlite3") and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    weights = PredictionTable(file).sha256()
    with EmbeddedStore(data / "image-index", weights) as store:
        before = store.info().size
    result = run_command(data, str(file))

    assert 0 < before < 14_000
    assert before % 2000 == 0  # whole batches
    assert f"{14_000 - before} imported" in result.stdout, result.stderr
    assert f"{before} were there already" in result.stdout
    with EmbeddedStore(data / "image-index", weights) as store:
        assert (store.info().size, store.info().generation) == (14_000, 14_000)


def committed(file: Path) -> int:
    """The images in the database of a process that is writing it."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            (count,) = connection.execute("SELECT COUNT(*) FROM images").fetchone()
    except sqlite3.OperationalError:  # not there yet
        return 0
    return int(count)
