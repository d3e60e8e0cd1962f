"""Tables of labels become evidence; what cannot be taken is named, and nothing is said of whom it is about."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.image_index.ingest.report_labels.load import BATCH, Tally, import_reports
from services.image_index.ingest.report_labels.named_by import NamedBy
from services.image_index.ingest.report_labels.table import ReportTable
from services.image_index.patient_keys import PatientKeys, open_patient_keys
from services.image_index.ranking.prior import shipped_prior
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.reports import ReportTarget
from services.text_classifier.labelling.columns import ADDED
from shared.labels import LABELS
from shared.tables import TableUnusable
from tests.image_index.store.conftest import WEIGHTS, made_image
from tests.repository import REPOSITORY

KEYS = PatientKeys(b"key")
BASE_RATES = shipped_prior().base_rates
MODEL = "b" * 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "data" / "image-index", WEIGHTS) as store:
        yield store


def line(*present: str, uncertain: str = "", warnings: str = "", **cells: object) -> dict[str, Any]:
    """As the text classifier writes it."""
    codes = {label: 1 if label in present else -1 if label == uncertain else "" for label in LABELS}
    probabilities = {f"prob_{label}": 0.97 if label in present else 0.02 for label in LABELS}
    return codes | probabilities | {"text_model": MODEL, "text_warnings": warnings} | cells


def write(file: Path, lines: list[dict[str, Any]], drop: str = "\0") -> Path:
    columns = [name for name in lines[0] if not name.startswith(drop)]
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)
    return file


def imported(
    file: Path, store: EmbeddedStore, named_by: NamedBy | None = None, issued: str | None = None, **how: bool
) -> Tally:
    return import_reports(ReportTable(file, named_by or NamedBy(), issued, KEYS, BASE_RATES), store, **how)


def test_the_lines_are_those_that_the_text_classifier_writes() -> None:
    assert [name for name in line() if name != "path_to_image"] == [*ADDED]


def test_every_line_becomes_evidence_of_its_image(tmp_path: Path, store: EmbeddedStore) -> None:
    store.put([made_image("train:patient1:study1:view1_frontal")])
    path = "train/patient1/study1/view1_frontal.jpg"
    tally = imported(write(tmp_path / "l.csv", [line("Edema", uncertain="Pneumonia", path_to_image=path)]), store)
    report = store.get("train:patient1:study1:view1_frontal").report

    assert (tally.stored, tally.waiting, tally.failures) == (1, [], [])
    assert [report.states[name] for name in ("Edema", "Pneumonia", "Fracture")] == [
        "present",
        "uncertain",
        "not_mentioned",
    ]
    assert report.text_model_sha256 == MODEL
    assert report.probabilities["Edema"] > 0.5
    assert report.probabilities["Pneumonia"] == pytest.approx(BASE_RATES[LABELS.index("Pneumonia")], abs=1e-3)


def test_the_same_table_again_changes_nothing(tmp_path: Path, store: EmbeddedStore) -> None:
    store.put([made_image(f"i{n}") for n in range(3)])
    file = write(tmp_path / "l.csv", [line("Edema", path_to_image=f"i{n}.png") for n in range(3)])
    imported(file, store)
    before = store.info(), store.checksum()
    tally = imported(file, store)

    assert (tally.stored, tally.unchanged) == (0, 3)
    assert (store.info(), store.checksum()) == before


@pytest.mark.parametrize(
    ("named_by", "cell", "image_id"),
    [
        (NamedBy("image", "who"), "1.2.840.10008.1", "1.2.840.10008.1"),
        (NamedBy("image", "who"), "00000001_000.png", "00000001_000"),
        (NamedBy("image", "who"), "a/b/1.dcm", "a:b:1"),
        (NamedBy("study", "who"), "1.2.3", "by-study"),
        (NamedBy("accession", "who"), " ACC-77 ", "by-accession"),
    ],
)
def test_images_are_known_by_the_column_that_is_named(
    tmp_path: Path, store: EmbeddedStore, named_by: NamedBy, cell: str, image_id: str
) -> None:
    store.put([made_image(name) for name in ("1.2.840.10008.1", "00000001_000", "a:b:1")])
    store.put([made_image("by-study", study_instance_uid="1.2.3")])
    store.put([made_image("by-accession", accession_key=KEYS.accession_key("ACC-77", "NORTH"))])
    tally = imported(write(tmp_path / "l.csv", [line("Edema", who=cell)]), store, named_by)

    assert (tally.stored, tally.waiting) == (1, [])
    assert store.get(image_id).report.states["Edema"] == "present"
    assert store.describe().reports.images == 1


def test_of_two_reports_the_one_issued_later_counts_whatever_their_order(tmp_path: Path, store: EmbeddedStore) -> None:
    store.put([made_image("a"), made_image("b")])
    times = {"a": ("2026-03-01", "2026-03-02T00:00:00+01:00"), "b": ("2026-03-02 10:00", "2026-03-02T09:00:00Z")}
    lines = [
        line("Edema" if first else "Fracture", path_to_image=name, when=both[0] if first else both[1])
        for name, both in times.items()
        for first in (True, False)
    ]
    tally = imported(write(tmp_path / "l.csv", lines), store, issued="when")

    assert (tally.stored, tally.outdated) == (3, 1)
    assert store.get("a").report.states["Fracture"] == "present"
    assert store.get("b").report.states["Edema"] == "present"
    assert store.get("a").report.issued.isoformat() == "2026-03-01T23:00:00+00:00"


def test_faulty_lines_are_named_and_the_others_taken(tmp_path: Path, store: EmbeddedStore) -> None:
    store.put([made_image("good"), made_image("nothing")])
    lines = [
        line("Edema", path_to_image="good.png"),
        line("Edema", path_to_image="foreign.png", warnings="not_english"),
        line(path_to_image="nothing.png", warnings="nothing_stated"),
        line(path_to_image="code.png", Edema="yes"),
        line(path_to_image="number.png", prob_Edema="nan"),
        line(path_to_image="model.png", text_model="resnet"),
        line(path_to_image=""),
        line(path_to_image="unknown.png"),
        line(path_to_image="late.png", when="tomorrow"),
        line(path_to_image="late.png", when="2222-01-01"),
    ]
    tally = imported(write(tmp_path / "l.csv", [{"when": ""} | one for one in lines]), store, issued="when")

    assert [failure.number for failure in tally.failures] == [3, 5, 6, 7, 8, 10, 11]
    for failure, says in zip(
        tally.failures,
        ("English", "Edema", "prob_Edema", "text_model", "path_to_image", "written as", "future"),
        strict=True,
    ):
        assert says in failure.reason
    assert (tally.stored, tally.waiting, tally.done) == (3, [9], 10)
    assert store.get("nothing").report is not None


def test_an_accession_number_is_in_no_reason(tmp_path: Path, store: EmbeddedStore) -> None:
    store.put([made_image(n, study_instance_uid=f"1.{n}", accession_key=KEYS.accession_key("ACC-77")) for n in "12"])
    lines = [line(who="ACC-77"), line(who="ACC-77" * 20), line(who="")]
    tally = imported(write(tmp_path / "l.csv", lines), store, NamedBy("accession", "who"))

    assert [failure.number for failure in tally.failures] == [2, 3, 4]
    assert "more than one study" in tally.failures[0].reason
    assert not [failure for failure in tally.failures if "ACC-77" in failure.reason]


def test_what_was_removed_is_taken_only_on_request(tmp_path: Path, store: EmbeddedStore) -> None:
    store.put([made_image("a")])
    file = write(tmp_path / "l.csv", [line("Edema", path_to_image="a.png")])
    imported(file, store)
    store.delete_report(ReportTarget("image", "a"))

    assert "--replace" in imported(file, store).failures[0].reason
    assert imported(file, store, replace=True).stored == 1


def test_without_probabilities_the_states_count_alone(tmp_path: Path, store: EmbeddedStore) -> None:
    store.put([made_image("a"), made_image("b")])
    imported(write(tmp_path / "a.csv", [line("Edema", path_to_image="a.png")], drop="prob_"), store)
    sure = dict.fromkeys((f"prob_{label}" for label in LABELS), 0) | {"prob_Edema": 1}
    imported(write(tmp_path / "b.csv", [line("Edema", path_to_image="b.png") | sure]), store)

    assert store.get("a").report.probabilities == store.get("b").report.probabilities


@pytest.mark.parametrize(
    ("drop", "named"),
    [("text_model", "text_model"), ("prob_Edema", "prob_Edema"), ("Edema", "Edema"), ("path", "path_to_image")],
)
def test_a_table_without_a_column_is_refused_with_its_name(tmp_path: Path, drop: str, named: str) -> None:
    file = write(tmp_path / "l.csv", [line(path_to_image="a")], drop=drop)
    with pytest.raises(TableUnusable, match=rf"columns {named} are missing.*--study-column"):
        ReportTable(file, NamedBy(), None, KEYS, BASE_RATES)


def run_command(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "services.image_index",
        "import-report-labels",
        *arguments,
        "--data-dir",
        str(data),
    ]
    return subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_command_tells_what_it_did_and_writes_why_not(tmp_path: Path) -> None:
    data, report = tmp_path / "data", tmp_path / "why.json"
    with EmbeddedStore(data / "image-index", WEIGHTS) as store:
        store.put([made_image("a")])
    lines = [line("Edema", path_to_image="a.png"), line(path_to_image="b.png"), line(path_to_image="c", Edema="x")]
    file = write(tmp_path / "l.csv", lines)
    dry = run_command(data, str(file), "--dry-run")
    done = run_command(data, str(file), "--report", str(report), "--strict")
    both = run_command(data, str(file), "--study-column", "s", "--accession-column", "a")
    missing = run_command(data, str(file), "--study-column", "study")

    assert "of 3 lines 2 would be taken, 1 would fail" in dry.stdout, dry.stderr
    assert done.returncode == 3, done.stderr
    assert "2 reports stored" in done.stdout
    assert "For 1 images of the index a report counts" in done.stdout
    told = json.loads(report.read_text())
    assert (told["stored"], told["waiting"], told["failures"][0]["line"]) == (2, [3], 4)
    assert both.returncode == 2
    assert (missing.returncode, "the columns study are missing" in missing.stderr) == (1, True)
    assert "Traceback" not in both.stderr + missing.stderr


@pytest.mark.slow
def test_an_import_by_accession_number_with_another_key_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with EmbeddedStore(data / "image-index", WEIGHTS) as store:
        keys = open_patient_keys(data / "image-index", "the first")
        store.put([made_image("a", accession_key=keys.accession_key("ACC-77"))])
    file = write(tmp_path / "l.csv", [line("Edema", who="ACC-77")])
    other = run_command(data, str(file), "--accession-column", "who", CHEX_PATIENT_KEY="another")
    same = run_command(data, str(file), "--accession-column", "who", CHEX_PATIENT_KEY="the first")

    assert (other.returncode, "hashed with another key" in other.stderr) == (1, True)
    assert "1 reports stored" in same.stdout, same.stderr
    with EmbeddedStore(data / "image-index", WEIGHTS) as store:
        assert store.get("a").report is not None


@pytest.mark.slow
def test_an_import_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    lines = 5 * BATCH
    data = tmp_path / "data"
    index = data / "image-index"
    with EmbeddedStore(index, WEIGHTS) as store:
        store.put([made_image(f"i{n}", n / lines) for n in range(0, lines, 2)])
    rng = np.random.default_rng(5)
    table = [line(*rng.choice(LABELS, 2), path_to_image=f"i{n}.png") for n in range(lines)]
    file = write(tmp_path / "l.csv", table)
    command = [sys.executable, "-m", "services.image_index", "import-report-labels", str(file), "--data-dir", str(data)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not committed(index / "index.sqlite3") and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    before = committed(index / "index.sqlite3")
    result = run_command(data, str(file))

    assert 0 < before < lines
    assert before % BATCH == 0
    assert f"{lines - before} reports stored" in result.stdout, result.stderr
    assert f"{before} were there already" in result.stdout
    assert f"For {lines // 2} images" in result.stdout
    assert f"{lines // 2} of them are of images that the index does not have" in result.stdout


def committed(file: Path) -> int:
    """The reports in the database of a process that is writing it."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM reports").fetchone()
    return int(count)
