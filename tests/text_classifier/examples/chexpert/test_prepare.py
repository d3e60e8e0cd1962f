import stat
from collections import defaultdict
from pathlib import Path

import pytest

from services.text_classifier.examples.chexpert import prepare as room
from services.text_classifier.examples.chexpert.folder import FolderUnusable
from services.text_classifier.examples.chexpert.prepare import COLUMNS, How, NothingJoined, Outcome, prepare
from shared.labels import LABELS
from shared.tables import TableUnusable
from tests.text_classifier.examples.chexpert.made_up import (
    chexpert_folder,
    labelled,
    place,
    plus_table,
    read,
    report,
    write,
)

PARTS = ("train", "val", "test")


def rows_of(out: Path) -> list[dict[str, str]]:
    return [row for part in PARTS for row in read(out / f"{part}.csv")]


def run(tmp_path: Path, labels, reports, **how) -> tuple[list[dict[str, str]], Outcome]:
    outcome = Outcome()
    prepare(
        plus_table(tmp_path, reports),
        chexpert_folder(tmp_path / "CheXpert-v1.0-small", labels),
        tmp_path / "out",
        How(**how),
        outcome,
    )
    return rows_of(tmp_path / "out"), outcome


def many(patients: int) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Three images of each."""
    places = [place(patient, study=study) for patient in range(patients) for study in (1, 2, 3)]
    return [labelled(path) for path in places], [report(path) for path in places]


@pytest.mark.parametrize("archive", ["CheXpert-v1.0", "CheXpert-v1.0-small"])
@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_a_row_is_the_originals_with_chexperts_codes_and_the_patient(tmp_path, archive, ending):
    codes = {"Edema": "1.0", "Fracture": "0.0", "Pneumonia": "-1.0"}
    plus = plus_table(tmp_path, [report(place(1), '1.  "Small"\r\neffusion,\n\nleft ', ending)], bom=True)
    folder = chexpert_folder(tmp_path / "small", [labelled(place(1), archive=archive, **codes)], bom=True)
    prepare(plus, folder, tmp_path / "out", How(), Outcome())
    (row,) = rows_of(tmp_path / "out")
    assert list(row) == list(COLUMNS)
    assert tuple(row)[:16] == ("path_to_image", "cleaned_impression", *LABELS)
    assert row["path_to_image"] == f"{place(1)}.jpg"
    assert row["cleaned_impression"] == '1. "Small" effusion, left'
    assert [row[label] for label in ("Edema", "Fracture", "Pneumonia", "Pneumothorax")] == ["1", "0", "-1", ""]
    assert [row[name] for name in ("patient_id", "Sex", "Age", "Frontal/Lateral", "AP/PA")] == [
        "patient00001",
        "Female",
        "68",
        "Frontal",
        "PA",
    ]


def test_images_of_both_tables_of_chexpert_are_taken(tmp_path):
    valid = place(9, part="valid")
    folder = chexpert_folder(tmp_path / "small", [labelled(place(1))], [labelled(valid, Edema="1.0")])
    prepare(plus_table(tmp_path, [report(place(1)), report(valid)]), folder, tmp_path / "out", How(), Outcome())
    assert {row["path_to_image"] for row in rows_of(tmp_path / "out")} == {f"{place(1)}.jpg", f"{valid}.jpg"}


@pytest.mark.parametrize(("views", "taken"), [("PA", {1}), ("frontal", {1, 2})])
def test_lateral_views_are_left_out_and_ap_films_unless_asked_for(tmp_path, views, taken):
    lateral = place(3, "view2_lateral")
    labels = [labelled(place(1)), labelled(place(2), film="AP"), labelled(lateral, view="Lateral", film="")]
    rows, outcome = run(tmp_path, labels, [report(place(1)), report(place(2)), report(lateral)], views=views)
    assert {row["patient_id"] for row in rows} == {f"patient{patient:05d}" for patient in taken}
    assert outcome.reasons.counts["A lateral view, by CheXpert's table."] == 1
    assert outcome.reasons.counts.total() == 3 - len(taken)


def test_what_does_not_join_is_counted_by_reason_with_a_path_and_never_a_word_of_a_report(tmp_path, capsys):
    from rich.console import Console

    labels = [
        labelled(place(1)),
        labelled(place(1), Edema="1.0"),
        labelled(place(2), Edema="yes"),
        labelled(place(3)),
        labelled("elsewhere/view1_frontal"),
    ]
    reports = [report(place(1)), report(place(1), "Said again."), report(place(4)), report("nowhere"), report(place(2))]
    rows, outcome = run(tmp_path, labels, reports)
    assert [row["cleaned_impression"] for row in rows] == ["Said."]
    assert rows[0]["Edema"] == ""
    assert dict(outcome.reasons.counts) == {
        "train.csv: the image was there already; its first row counts.": 1,
        "train.csv: Edema is none of 1, 0, -1 and blank.": 1,
        "train.csv: The path has no train/ or valid/ with a patient behind it.": 1,
        "The image was there already; its first row counts.": 1,
        "Not in CheXpert's tables.": 2,
        "The path has no train/ or valid/ with a patient behind it.": 1,
        "In CheXpert's tables, and not in plus.csv.": 1,
    }
    outcome.reasons.show(Console(width=200), "images", "why left out")
    told = capsys.readouterr().out
    assert f"{place(3)}.jpg" in told
    assert "Said" not in told
    assert "SECRET" not in told


def test_a_row_with_too_many_cells_is_named_by_its_line(tmp_path):
    table = plus_table(tmp_path, [report(place(1))])
    with table.open("a") as stream:
        stream.write("a,b\n")
    folder = chexpert_folder(tmp_path / "small", [labelled(place(1))])
    outcome = Outcome()
    prepare(table, folder, tmp_path / "out", How(), outcome)
    assert outcome.reasons.counts == {"The row has more or fewer cells than the header.": 1}
    assert len(rows_of(tmp_path / "out")) == 1


def test_a_blank_impression_stays_blank_and_is_counted(tmp_path):
    rows, outcome = run(tmp_path, [labelled(place(1)), labelled(place(2))], [report(place(1), " \n"), report(place(2))])
    assert sorted(row["cleaned_impression"] for row in rows) == ["", "Said."]
    assert outcome.without_impression == 1


def test_a_patient_is_in_one_table_for_ever_whatever_the_order_and_the_seed(tmp_path):
    labels, reports = many(300)
    _rows, outcome = run(tmp_path, labels, reports)
    first = {part: read(tmp_path / "out" / f"{part}.csv") for part in PARTS}
    patients = {part: {row["patient_id"] for row in rows} for part, rows in first.items()}
    assert sum(map(len, patients.values())) == len(set().union(*patients.values())) == 300
    assert outcome.also_in_training == 0
    shares = {part: len(rows) / 900 for part, rows in first.items()}
    assert shares == pytest.approx({"train": 0.7, "val": 0.15, "test": 0.15}, abs=0.05)
    run(tmp_path, labels[::-1], reports[::-1], seed=4, overwrite=True)
    assert {row["patient_id"] for row in read(tmp_path / "out" / "test.csv")} == patients["test"]


def test_the_originals_split_is_by_image_and_follows_the_seed(tmp_path):
    labels, reports = many(300)
    found: dict[int, set[str]] = defaultdict(set)
    for seed in (0, 0, 1):
        _rows, outcome = run(tmp_path, labels, reports, split="original", seed=seed, overwrite=True)
        found[seed].add((tmp_path / "out" / "test.csv").read_text())
        assert outcome.also_in_training > 0.7 * len(outcome.patients["test"])
        assert outcome.images["test"] / 900 == pytest.approx(0.15, abs=0.05)
    assert len(found[0]) == 1
    assert found[0] != found[1]


@pytest.mark.parametrize("missing", ["path_to_image", "section_impression"])
def test_a_missing_column_of_chexpert_plus_is_named(tmp_path, missing):
    columns = [name for name in ("path_to_image", "report", "section_impression") if name != missing]
    table = write(tmp_path / "plus.csv", columns, [])
    folder = chexpert_folder(tmp_path / "small", [])
    with pytest.raises(TableUnusable, match=f"plus.csv lacks the columns {missing}"):
        prepare(table, folder, tmp_path / "out", How(), Outcome())


@pytest.mark.parametrize("missing", ["Path", "AP/PA", "Pleural Other"])
def test_a_missing_column_of_chexpert_is_named(tmp_path, missing):
    columns = [name for name in ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *LABELS) if name != missing]
    folder = chexpert_folder(tmp_path / "small", [labelled(place(1))])
    write(folder / "valid.csv", columns, [])
    with pytest.raises(TableUnusable, match=f"valid.csv lacks the columns {missing}"):
        prepare(plus_table(tmp_path, [report(place(1))]), folder, tmp_path / "out", How(), Outcome())
    assert not (tmp_path / "out").exists()


def test_the_tables_are_their_owners_alone(tmp_path):
    run(tmp_path, [labelled(place(1))], [report(place(1))])
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_tables_that_are_there_are_replaced_only_where_that_is_asked_for(tmp_path):
    run(tmp_path, [labelled(place(1))], [report(place(1))])
    with pytest.raises(FolderUnusable, match=r"test\.csv, train\.csv, val\.csv already\. --overwrite"):
        run(tmp_path, [labelled(place(2))], [report(place(2))])
    assert [row["patient_id"] for row in rows_of(tmp_path / "out")] == ["patient00001"]
    rows, _outcome = run(tmp_path, [labelled(place(2))], [report(place(2))], overwrite=True)
    assert [row["patient_id"] for row in rows] == ["patient00002"]


def test_a_folder_with_anything_else_in_it_is_never_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.md").write_text("years of work")
    with pytest.raises(FolderUnusable, match=r"thesis\.md, which would be lost"):
        run(tmp_path, [labelled(place(1))], [report(place(1))], overwrite=True)


@pytest.mark.parametrize("before", [False, True])
def test_a_run_that_ends_early_leaves_what_was_there_before_and_nothing_else(tmp_path, monkeypatch, before):
    labels, reports = [labelled(place(1))], [report(place(1))]
    if before:
        run(tmp_path, labels, reports)
    kept = rows_of(tmp_path / "out") if before else None

    def stop(*_args: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "cleaned", stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, labels, [report(place(1), "Other.")], overwrite=True)
    assert (rows_of(tmp_path / "out") if before else None) == kept
    assert not list(tmp_path.glob("out.*"))


def test_tables_that_share_no_image_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(NothingJoined, match="nothing was written"):
        run(tmp_path, [labelled(place(1))], [report(place(2))])
    assert not (tmp_path / "out").exists()


def test_the_reading_is_told_in_bytes_of_the_table(tmp_path):
    labels, reports = many(40)
    plus = plus_table(tmp_path, reports)
    told: list[int] = []
    prepare(plus, chexpert_folder(tmp_path / "small", labels), tmp_path / "out", How(), Outcome(), on_bytes=told.append)
    assert told == sorted(told)
    assert told[-1] == plus.stat().st_size
