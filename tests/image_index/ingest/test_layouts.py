import re
from pathlib import Path

import pytest

from services.image_index.ingest.below_root import BY_LINK, NO_PATH, OUTSIDE
from services.image_index.ingest.layouts import (
    Entry,
    chexpert_study,
    count_folder,
    count_table,
    read_folder,
    read_table,
)
from shared.image_ids import image_id_of
from shared.tables import TableUnusable


def table(folder: Path, text: str) -> Path:
    file = folder / "table.csv"
    file.write_text(text.strip() + "\n", encoding="utf-8-sig")
    return file


def facts(entry: Entry) -> tuple[object, ...]:
    m = entry.metadata
    return (entry.image_id, m.view_position, m.patient_sex, m.patient_age, m.patient_id)


CHEXPERT = """
Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly
CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,
CheXpert-v1.0-small/train/patient00001/study1/view2_lateral.jpg,Female,68,Lateral,,,1.0
CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg,Unknown,0,Frontal,LL,,-1.0
"""


@pytest.mark.parametrize("root", [".", "CheXpert-v1.0-small"])
def test_chexperts_table_is_read_wherever_its_archive_lies(tmp_path: Path, root: str) -> None:
    picture = tmp_path / "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg"
    picture.parent.mkdir(parents=True)
    picture.touch()
    entries = list(read_table(table(tmp_path, CHEXPERT), tmp_path / root))

    prefix = "CheXpert-v1.0-small:train:patient0000"
    assert [facts(entry) for entry in entries] == [
        (f"{prefix}1:study1:view1_frontal", "AP", "F", 68, "patient00001"),
        (f"{prefix}1:study1:view2_lateral", "LATERAL", "F", 68, "patient00001"),
        (f"{prefix}2:study2:view1_frontal", "LATERAL", None, 0, "patient00002"),
    ]
    assert entries[0].file.samefile(picture)
    assert all(entry.metadata.study_instance_uid and entry.study_invented for entry in entries)


def test_the_original_projects_table_is_read_as_chexperts_with_the_patient_of_its_column(tmp_path: Path) -> None:
    lines = """
path_to_image,patient_id,Sex,Age,Frontal/Lateral,AP/PA
train/patient00001/study1/view1_frontal.jpg,,Male,5,Frontal,PA
a.png,P7,,,,
"""
    first, second = read_table(table(tmp_path, lines), tmp_path)
    assert facts(first) == ("train:patient00001:study1:view1_frontal", "PA", "M", 5, "patient00001")
    assert facts(second) == ("a", None, None, None, "P7")


@pytest.mark.parametrize("folder", ["", "images", "images_002/images"])
@pytest.mark.parametrize("sex_column", ["Patient Gender", "Patient Sex"])
def test_nihs_own_table_is_read_wherever_its_archives_were_unpacked(
    tmp_path: Path, folder: str, sex_column: str
) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    picture = tmp_path / folder / "00000001_000.png"
    picture.touch()
    text = f"""
Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,{sex_column},View Position,OriginalImage[Width,Height]
00000001_000.png,Cardiomegaly|Effusion,0,1,058Y,M,PA,2682,2749
00000001_001.png,No Finding,1,1,411,F,AP,2682,2749
"""
    entries = list(read_table(table(tmp_path, text), tmp_path))

    assert [facts(entry) for entry in entries] == [
        ("00000001_000", "PA", "M", 58, "1"),
        ("00000001_001", "AP", "F", None, "1"),
    ]
    assert entries[0].file == picture


def test_the_plain_table_is_read(tmp_path: Path) -> None:
    text = """
image,findings,patient_id,patient_age,patient_sex,view_position
images/a b.jpg,Edema,7,011M,F,PA
images/c.jpg,No Finding,,,,
"""
    entries = list(read_table(table(tmp_path, text), tmp_path))

    assert [facts(entry) for entry in entries] == [
        ("images:a_b", "PA", "F", 0.92, "7"),
        ("images:c", None, None, None, None),
    ]
    assert entries[0].file == tmp_path / "images/a b.jpg"


def test_another_table_is_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(TableUnusable, match="Path, path_to_image, Image Index, image"):
        next(read_table(table(tmp_path, "name,label\na,b"), tmp_path))


def test_a_folder_is_read_in_the_order_of_its_paths_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.dcm", "b/1", "a.png", ".hidden", ".git/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert [entry.image_id for entry in read_folder(tmp_path)] == ["a", "b:1", "b:2"]
    assert count_folder(tmp_path) == 3


def test_lines_are_counted_as_they_will_be_read(tmp_path: Path) -> None:
    file = table(tmp_path, 'image,findings\na.png,"one\ntwo"\n\nb.png,')

    assert count_table(file) == len(list(read_table(file, tmp_path))) == 2


def test_a_path_of_chexpert_names_patient_and_study() -> None:
    patient, study = chexpert_study("CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg")

    assert patient == "patient00001"
    assert study is not None
    assert re.fullmatch(r"2\.25\.[0-9]{30,39}", study)
    assert chexpert_study("valid_patient00001_study1_view2_lateral.png") == (patient, study)
    assert chexpert_study("train/patient00001/study2/view1_frontal.jpg") != (patient, study)
    assert chexpert_study("patient00002/view1.jpg") == ("patient00002", None)
    assert chexpert_study("00000001_000.png") == (None, None)


@pytest.mark.parametrize(
    ("path", "image_id"),
    [
        ("a/b/c.jpg", "a:b:c"),
        ("1.2.840.10008.dcm", "1.2.840.10008"),
        ("übung/ß.png", "bung:_"),
        ("./-x.png", "x"),
        ("ß.png", ""),
        ("", ""),
        ("..", ""),
        ("d/" * 100 + "x.png", ("d:" * 63 + "x")),
    ],
)
def test_an_id_is_made_of_the_path_with_what_an_id_may_hold(path: str, image_id: str) -> None:
    assert image_id_of(path) == image_id


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a picture; a secret beside it; and links in it to a file inside, to the secret, and to a folder."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    for file in ("root/own.png", "secret.png", "elsewhere/far.png"):
        (tmp_path / file).touch()
    (root / "to_own.png").symlink_to(root / "own.png")
    (root / "to_secret.png").symlink_to(tmp_path / "secret.png")
    (root / "archive").symlink_to(tmp_path / "elsewhere")
    (root / "round").symlink_to(root / "round")
    return root


@pytest.mark.parametrize("column", ["Path", "Image Index", "image"])
@pytest.mark.parametrize("follow_links", [False, True])
def test_what_lies_outside_the_root_is_refused_in_every_layout(root: Path, column: str, follow_links: bool) -> None:
    by_link = None if follow_links else BY_LINK
    expected = {
        "own.png": None,
        str(root / "own.png"): None,
        "to_own.png": None,
        "../secret.png": OUTSIDE,
        str(root.parent / "secret.png"): OUTSIDE,
        "../../../../../../../../etc/hostname": OUTSIDE,
        "archive/../secret.png": OUTSIDE,
        "to_secret.png": by_link,
        "archive/far.png": by_link,
        "round/x.png": NO_PATH,
        "a\0b.png": NO_PATH,
    }
    file = table(root.parent, "\n".join([column, *expected]))
    entries = list(read_table(file, root, follow_links=follow_links))
    assert dict(zip(expected, (entry.refused for entry in entries), strict=True)) == expected


def test_a_root_that_is_itself_a_link_is_where_it_leads(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    (entry,) = read_table(table(root.parent, f"image\n{root / 'own.png'}"), link)
    assert entry.refused is None


def test_a_linked_file_in_a_folder_is_refused_where_it_leads_out(root: Path) -> None:
    refused = {entry.file.name: entry.refused for entry in read_folder(root)}
    assert refused == {"own.png": None, "to_own.png": None, "to_secret.png": BY_LINK}
    assert {entry.refused for entry in read_folder(root, follow_links=True)} == {None}


def test_a_path_too_long_for_the_system_is_one_failed_line_not_the_end(tmp_path: Path) -> None:
    for column in ("Path", "Image Index", "image"):
        assert len(list(read_table(table(tmp_path, f"{column}\n{'q' * 5000}.png\nb.png"), tmp_path))) == 2
