"""What readers' tables say of a label, and whom they overrule."""

from pathlib import Path

import pytest

from services.image_index.examples.datasets import Row
from services.image_index.examples.readers import Readers, read_readers
from services.image_index.examples.sources import rows_of
from shared.labels import LABELS
from shared.tables import TableUnusable

CHESTX_DET = (
    "image,split,Atelectasis,Calcification,Cardiomegaly,Consolidation,Diffuse Nodule,Effusion,Emphysema,Fibrosis,"
    "Fracture,Mass,Nodule,Pleural Thickening,Pneumothorax\n"
)


def _readers(folder: Path, *tables: str) -> Readers:
    files = [folder / f"{number}.csv" for number in range(len(tables))]
    for file, text in zip(files, tables, strict=True):
        file.write_text(text, encoding="utf-8")
    return read_readers(files)


def _said(readers: Readers, picture: str) -> dict[str, bool | None]:
    return dict(readers.of(Path("/archive/images") / picture))


def test_findings_of_chestx_det_become_labels_and_what_was_not_looked_for_stays_unknown(tmp_path: Path) -> None:
    lines = "a.png,train,0,1,0,1,0,0,0,0,1,0,0,0,0\nb.png,test,0,0,0,0,1,0,0,0,0,0,0,1,0\n"
    readers = _readers(tmp_path, CHESTX_DET + lines)
    looked_for = {"Atelectasis", "Cardiomegaly", "Consolidation", "Fracture", "Lung Lesion", "Pleural Effusion"}
    looked_for |= {"Pleural Other", "Pneumothorax"}

    said = _said(readers, "a.jpg")
    assert {label for label, seen in said.items() if seen} == {"Consolidation", "Fracture", "Lung Opacity"}
    assert {label for label, seen in said.items() if seen is False} == looked_for - {"Consolidation", "Fracture"} | {
        "No Finding"
    }
    said = _said(readers, "b.jpg")
    assert {label for label, seen in said.items() if seen} == {"Lung Lesion", "Pleural Other"}
    assert "Lung Opacity" not in said  # only consolidation was looked for, of all that is opaque


def test_a_picture_without_a_finding_is_not_called_normal(tmp_path: Path) -> None:
    said = _said(_readers(tmp_path, CHESTX_DET + "a.png,train" + ",0" * 13 + "\n"), "a.jpg")
    assert not any(said.values())
    assert "No Finding" not in said


def test_rsna_classes_speak_of_no_finding_and_lung_opacity_alone(tmp_path: Path) -> None:
    classes = ("Normal", "Lung Opacity", "No Lung Opacity / Not Normal")
    readers = _readers(tmp_path, "image,rsna_class\n" + "".join(f"{n}.png,{name}\n" for n, name in enumerate(classes)))
    expected = [(True, False), (False, True), (False, False)]
    for n, (normal, opacity) in enumerate(expected):
        assert _said(readers, f"{n}.jpg") == {"No Finding": normal, "Lung Opacity": opacity}


def test_labels_may_be_named_as_they_are_and_blanks_and_uncertain_cells_say_nothing(tmp_path: Path) -> None:
    readers = _readers(tmp_path, "image,Fracture,Support Devices,Edema,Pneumonia\na.dcm,0,1,-1,\n")
    assert _said(readers, "a.dcm") == {"Fracture": False, "Support Devices": True}


def test_a_picture_is_known_by_as_much_of_its_path_as_the_table_says(tmp_path: Path) -> None:
    readers = _readers(tmp_path, "image,Fracture\npatient1/study1/view1.jpg,1\npatient2/study1/view1.jpg,0\n")
    assert _said(readers, "patient1/study1/view1.png") == {"Fracture": True, "No Finding": False}
    assert _said(readers, "patient2/study1/view1.png") == {"Fracture": False}
    assert _said(readers, "patient3/study1/view1.png") == {}


def test_readers_overrule_mined_labels_where_they_speak_and_leave_the_others(tmp_path: Path) -> None:
    readers = _readers(tmp_path, "image,Fracture,Edema\na.png,1,0\n")
    rows = [Row(Path("/x/a.jpg"), "1", {"Edema": True, "Pneumonia": True}), Row(Path("/x/b.jpg"), "2", {"Edema": True})]

    read, other = readers.before_mined(rows)
    assert read.labels == {"Edema": False, "Pneumonia": True, "Fracture": True, "No Finding": False}
    assert other.labels == {"Edema": True}
    (alone,) = readers.alone(rows)
    assert alone.labels == {"Edema": False, "Fracture": True, "No Finding": False}


def test_what_a_radiologist_saw_is_learned_and_not_how_probable_a_text_made_it(tmp_path: Path) -> None:
    readers = _readers(tmp_path, "image,Fracture\na.png,1\n")
    row = Row(Path("/x/a.jpg"), "1", {"Fracture": False, "Edema": True}, probabilities={"Fracture": 0.1, "Edema": 0.9})
    (mended,), (alone,) = readers.before_mined([row]), readers.alone([row])
    assert (mended.labels["Fracture"], mended.probabilities) == (True, {"Edema": 0.9})
    assert (alone.labels["Fracture"], alone.probabilities) == (True, {})


def test_where_readers_disagree_the_label_is_unknown(tmp_path: Path) -> None:
    one, other = "image,Fracture,Edema\na.png,1,0\n", "image,Fracture\na.png,0\n"
    row = Row(Path("/x/a.jpg"), "1", {"Fracture": True, "Edema": True})
    for tables in ((one, other), (other, one)):
        (read,) = _readers(tmp_path, *tables).before_mined([row])
        assert read.labels == {"Edema": False, "No Finding": False}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("picture,Fracture\na.png,1\n", "needs the column image"),
        ("image,Broken\na.png,1\n", "one named as a finding"),
        ("image,Fracture\na.png,1\n\nb.png,yes\n", "line 4: Fracture is 'yes'"),
        ("image,rsna_class\na.png,Sick\n", "line 2: 'Sick' is no class"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_by_its_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(TableUnusable, match=reason):
        _readers(tmp_path, text)


def test_pictures_that_nobody_read_are_left_out(tmp_path: Path) -> None:
    readers = _readers(tmp_path, "image,Fracture\na.png,1\nb.png,\n")
    rows = [Row(Path("/x") / f"{name}.jpg", "1", {"Edema": True}) for name in "abc"]
    assert [row.path.stem for row in readers.alone(rows)] == ["a"]


@pytest.mark.real_data
def test_the_real_tables_find_their_pictures(real_data: Path) -> None:
    folder = real_data / "radiologist_labels"
    readers = read_readers([folder / "chestx_det.csv", folder / "rsna.csv"])
    assert len(readers.readings) == 2855
    assert sum(said.get("Fracture") is True for said in readers.readings.values()) == 189
    rows = [row for source in sorted(real_data.glob("nih_*")) for row in rows_of(source)]
    assert len({row.path.stem for row in readers.alone(rows)}) > 2800
    assert {label for said in readers.readings.values() for label in said} == set(LABELS) - {
        "Edema",
        "Enlarged Cardiomediastinum",
        "Pneumonia",
        "Support Devices",
    }
