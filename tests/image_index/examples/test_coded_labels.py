"""A column for each label, with or without how probable it is: what is learned, and what teaches nothing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.image_index.examples.coded_labels import count_saying_nothing
from services.image_index.examples.datasets import join, load_images, read_rows, uncertain_policy
from services.image_index.examples.sources import phantom_images
from shared.labels import LABELS

EDEMA, FRACTURE, PNEUMONIA = (LABELS.index(label) for label in ("Edema", "Fracture", "Pneumonia"))
COLUMNS = "patient_id,Edema,Fracture,Pneumonia,prob_Edema,prob_Fracture,prob_Pneumonia,text_warnings"


def _table(folder: Path, *lines: str, picture: str = "image", columns: str = COLUMNS) -> Path:
    table = folder / "labels.csv"
    table.write_text("\n".join([f"{picture},{columns}", *lines, ""]), encoding="utf-8")
    return table


def test_probabilities_are_learned_and_states_are_judged_by(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    rows = read_rows(_table(tmp_path, "a.png,7,1,0,,0.25,0.04,0.002,"), tmp_path)
    images = load_images(rows, 8, "own")
    assert [images.targets[0, column] for column in (EDEMA, FRACTURE, PNEUMONIA)] == [1.0, 0.0, 0.0]
    assert images.learned[0, [EDEMA, FRACTURE, PNEUMONIA]] == pytest.approx([0.25, 0.04, 0.002])
    assert images.known[0].nonzero()[0].tolist() == [EDEMA, FRACTURE, PNEUMONIA]  # no column, not annotated


@pytest.mark.parametrize(("policy", "learned"), [("ignore", None), ("zeros", False), ("ones", True)])
def test_a_doubt_never_teaches_its_probability_of_being_present(tmp_path: Path, policy: str, learned: bool | None):
    table = _table(tmp_path, "a.png,7,1,0,-1,0.99,0.01,0.03,")
    (row,) = read_rows(table, tmp_path, uncertain=uncertain_policy([policy]))
    assert row.labels.get("Pneumonia") is learned
    assert "Pneumonia" not in row.probabilities


@pytest.mark.parametrize("warnings", ["not_english", "nothing_stated", "not_english nothing_stated"])
def test_a_report_that_was_not_understood_or_states_nothing_does_not_teach(tmp_path: Path, warnings: str) -> None:
    table = _table(tmp_path, f"a.png,7,,,,0.01,0.01,0.01,{warnings}", "b.png,8,1,,,0.99,0.01,0.01,")
    assert [row.patient for row in read_rows(table, tmp_path)] == ["nih:8"]
    assert count_saying_nothing(table) == 1


def test_a_table_of_silent_reports_alone_is_refused(tmp_path: Path) -> None:
    table = _table(tmp_path, "a.png,7,,,,0.01,0.01,0.01,not_english")
    with pytest.raises(ValueError, match="no frontal picture of which something is said"):
        read_rows(table, tmp_path)


@pytest.mark.parametrize("column", ["Path", "path_to_image", "image", "Image Index"])
def test_the_picture_is_found_by_the_column_of_any_layout(tmp_path: Path, column: str) -> None:
    place = Path("train/patient00003/study1/view1_frontal.png")
    (tmp_path / place).parent.mkdir(parents=True)
    Image.new("L", (8, 8)).save(tmp_path / place)
    (row,) = read_rows(_table(tmp_path, f"{place},,1,,,,,,", picture=column), tmp_path)
    assert (row.path, row.patient) == (tmp_path / place, "chexpert:patient00003")


def test_a_table_that_names_no_picture_says_which_columns_would(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one of the columns Path, path_to_image, Image Index, image"):
        read_rows(_table(tmp_path, "s1,7,1,,,,,,", picture="study"), tmp_path)


def test_a_picture_table_without_a_label_is_refused_and_not_read_as_normal(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="laid out neither"):
        read_rows(_table(tmp_path, "a.png,7", columns="patient_id", picture="Path"), tmp_path)


@pytest.mark.parametrize(
    ("patient", "whose"),
    [("0007", "nih:7"), ("P-7", "patient:P-7"), ("", "picture:a.png")],
    ids=["number", "id", "none"],
)
def test_patients_are_known_by_their_column(tmp_path: Path, patient: str, whose: str) -> None:
    (row,) = read_rows(_table(tmp_path, f"a.png,{patient},1,,,,,,"), tmp_path)
    assert row.patient == whose


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a.png,7,yes,,,,,,", "labels.csv, a.png: Edema is 'yes', and none of 1, 0, -1 and blank"),
        ("a.png,7,1,,,high,,,", "labels.csv, a.png: prob_Edema is 'high', and no number"),
        ("a.png,7,1,,,1.5,,,", "labels.csv, a.png: prob_Edema is 1.5, and no probability"),
        ("a.png,7,1,,,nan,,,", "labels.csv, a.png: prob_Edema is nan, and no probability"),
    ],
)
def test_a_wrong_cell_is_named_by_table_picture_and_column(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_rows(_table(tmp_path, line), tmp_path)


def test_lateral_views_by_chexpert_plus_column_are_left_out(tmp_path: Path) -> None:
    table = _table(tmp_path, "a.png,Lateral,1", "b.png,Frontal,1", columns="frontal_lateral,Edema")
    assert [row.path.name for row in read_rows(table, tmp_path)] == ["b.png"]


def test_pictures_without_probabilities_teach_their_labels_beside_those_with(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    sure = phantom_images(2, seed=1, size=8, workers=1)
    soft = load_images(read_rows(_table(tmp_path, "a.png,7,1,,,0.6,,,"), tmp_path), 8, "own")
    both = join([sure, soft])
    assert np.array_equal(both.learned[:2], sure.targets)
    assert both.learned[2, EDEMA] == pytest.approx(0.6)
    assert both.where(np.array([False, False, True])).learned[0, EDEMA] == pytest.approx(0.6)
    assert join([sure, sure]).soft is None
