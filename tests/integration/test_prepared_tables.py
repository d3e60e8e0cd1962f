"""The tables that `prepare-chexpert` writes are tables of both services, as they are."""

from pathlib import Path

import pytest

pytest.importorskip("pandas")

from services.image_index.evaluation.retrieval.reports import read_reports
from services.image_index.examples.datasets import read_rows
from services.image_index.examples.sources import part_of
from services.image_index.ingest.layouts import read_table
from services.text_classifier.examples.chexpert.prepare import How, Outcome, prepare
from services.text_classifier.examples.chexpert.split import part_of_patient
from services.text_classifier.examples.labelled import STATES, read_csv
from shared.labels import LABELS, State
from tests.text_classifier.examples.chexpert.made_up import chexpert_folder, labelled, place, plus_table, report

EDEMA, FRACTURE, PNEUMONIA, EFFUSION = (
    LABELS.index(label) for label in ("Edema", "Fracture", "Pneumonia", "Pleural Effusion")
)
PATIENT = next(number for number in range(100) if part_of_patient(f"patient{number:05d}") == "test")
NAME = f"patient{PATIENT:05d}"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """One image, of a patient who is tested on; its picture lies where CheXpert has it."""
    codes = {"Edema": "1.0", "Fracture": "0.0", "Pneumonia": "-1.0"}
    folder = chexpert_folder(tmp_path / "CheXpert-v1.0-small", [labelled(place(PATIENT), **codes)])
    picture = folder / f"{place(PATIENT)}.jpg"
    picture.parent.mkdir(parents=True)
    picture.touch()
    plus = plus_table(tmp_path, [report(place(PATIENT), "Edema.\nPossible pneumonia.")])
    prepare(plus, folder, tmp_path / "out", How(), Outcome())
    return tmp_path / "out" / "test.csv"


def test_the_images_training_finds_pictures_labels_and_patients(table: Path, tmp_path: Path) -> None:
    (row,) = read_rows(table, tmp_path / "CheXpert-v1.0-small")
    assert row.path.is_file()
    assert (row.labels["Edema"], row.labels["Fracture"], row.labels["Pleural Effusion"]) == (True, False, False)
    assert "Pneumonia" not in row.labels
    assert (row.patient, part_of(row.patient)) == (f"chexpert:{NAME}", "test")


def test_the_patients_tested_on_are_those_that_an_encoders_training_holds_out() -> None:
    patients = [f"patient{number:05d}" for number in range(2000)]
    tested = {patient for patient in patients if part_of_patient(patient) == "test"}
    assert tested == {patient for patient in patients if part_of(f"chexpert:{patient}") == "test"}


def test_an_ingest_finds_pictures_views_and_patients(table: Path, tmp_path: Path) -> None:
    (entry,) = read_table(table, tmp_path / "CheXpert-v1.0-small")
    assert entry.file.is_file()
    metadata = entry.metadata
    assert (metadata.patient_id, metadata.view_position, metadata.patient_sex, metadata.patient_age) == (
        NAME,
        "PA",
        "F",
        68,
    )


def test_the_texts_training_finds_impressions_states_and_patients(table: Path) -> None:
    (example,) = read_csv(table, "cleaned_impression", "patient_id")
    assert (example.text, example.group) == ("Edema. Possible pneumonia.", NAME)
    states = [STATES[example.states[column]] for column in (EDEMA, FRACTURE, PNEUMONIA, EFFUSION)]
    assert states == [State.PRESENT, State.ABSENT, State.UNCERTAIN, State.NOT_MENTIONED]


def test_the_evaluation_of_retrieval_finds_texts_truth_and_images(table: Path) -> None:
    reports = read_reports(table, "cleaned_impression")
    assert reports.image_ids == [place(PATIENT).replace("/", ":")]
    assert reports.patients == [NAME]
    assert reports.truth is not None
    assert reports.truth[0].nonzero()[0].tolist() == [EDEMA]
