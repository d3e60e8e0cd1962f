"""What the demonstration prints beside an answer: the gallery's own table, and how many there were to find."""

import re
from pathlib import Path

import pytest

from gateway.demo.gallery import Stated, reported_of, stated_in, table_of
from gateway.demo.show import how_many_show
from shared.labels import LABELS
from shared.schemas.text import EXAMPLE_IMPRESSION
from tests.repository import REPOSITORY

BOTH = frozenset({"Cardiomegaly", "Pleural Effusion"})


def stated(**labels: frozenset[str]) -> dict[str, Stated]:
    return {name: Stated(", ".join(shown), shown) for name, shown in labels.items()}


def write(folder: Path, text: str) -> Path:
    table = folder / "labels.csv"
    table.write_text(text, encoding="utf-8-sig")
    return table


@pytest.mark.parametrize(
    ("asked", "found", "says"),
    [
        (BOTH, ["a", "c"], "2 of the 4 images show both findings%; 1 of them is among the 2"),
        (
            BOTH,
            ["a", "b"],
            "2 of the 4 images show both findings%; 2 of them are among the 2",
        ),
        (BOTH, ["c"], "2 of the 4 images show both findings%; none of them is among the 1"),
        (BOTH | {"Edema"}, ["a"], "1 of the 4 images shows all 3 findings%; 1 of them is"),
        (frozenset({"Edema"}), ["c"], "1 of the 4 images shows Edema%; none of them is"),
        (frozenset({"Fracture"}), ["c"], "None of the 4 images shows Fracture%."),
    ],
)
def test_how_many_there_were_to_find_is_said_with_how_many_were_found(asked, found, says):
    gallery = stated(a=BOTH | {"Edema"}, b=BOTH, c=frozenset({"Cardiomegaly"}), d=frozenset())
    assert how_many_show(asked, found, gallery).startswith(says.replace("%", " by the gallery's own table"))


def test_chexperts_codes_are_read_by_image_id_and_no_other_column_is_a_finding(tmp_path):
    table = write(
        tmp_path, "Path,Sex,Age,Edema,Fracture,Pneumonia\nroot/a b.png,Female,1,1.0,-1.0,0.0,more\nc.png,Male\n"
    )
    assert stated_in(table) == {
        "root:a_b": Stated("Edema", frozenset({"Edema"})),
        "c": Stated("", frozenset()),
    }


@pytest.mark.parametrize("columns", ["Image Index,Finding Labels", "image,findings"])
def test_nihs_words_are_shown_as_they_are_and_counted_as_labels(tmp_path, columns):
    table = write(tmp_path, f"{columns}\n1.png,Effusion|Mass\n2.png,No Finding\n3.png,Pleural Effusion|Hernia\n")
    assert stated_in(table) == {
        "1": Stated("Effusion, Mass", frozenset({"Pleural Effusion", "Lung Lesion"})),
        "2": Stated("No Finding", frozenset({"No Finding"})),
        "3": Stated("Pleural Effusion, Hernia", frozenset({"Pleural Effusion"})),
    }


def test_a_table_without_findings_says_nothing(tmp_path):
    assert stated_in(write(tmp_path, "image,patient_id\n1.png,7\n")) == {}


def test_labels_csv_counts_before_others_and_a_folder_may_have_none(tmp_path):
    assert table_of(tmp_path) is None
    (tmp_path / "only.csv").touch()
    assert table_of(tmp_path) == tmp_path / "only.csv"
    (tmp_path / "labels.csv").touch()
    assert table_of(tmp_path) == tmp_path / "labels.csv"


def test_readme_asks_what_the_demo_asks():
    asked = re.findall(r'-d \'\{"impression": "(.*?)"', (REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert asked == [EXAMPLE_IMPRESSION]
    assert set(LABELS) >= BOTH


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("Path,impression\na.png,\nb.png,Edema.\n", "Path"),
        ("image,findings,impression\na.png,Edema,Edema.\n", "image"),
        ("Path,impression\na.png, \n", None),
        ("Path,Edema\na.png,1\n", None),
        ("picture,impression\na.png,Edema.\n", None),
    ],
)
def test_table_with_impressions_of_its_pictures_has_reports(tmp_path, written, column):
    assert reported_of(write(tmp_path, written)) == column
