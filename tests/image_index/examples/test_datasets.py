"""What a table says, and what it leaves unknown."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.image_index.examples.datasets import (
    LabelledImages,
    UnreadablePictures,
    abnormal,
    load_images,
    read_rows,
    uncertain_policy,
)
from services.image_index.examples.phantoms import write_gallery
from services.image_index.examples.side_facts import SIDE_FACTS, no_side_facts
from services.image_index.examples.sources import part_of, parts_of, phantom_images, read_source
from services.image_index.pictures.read import read_radiograph
from shared.labels import LABELS

pytestmark = pytest.mark.slow

UNKNOWN_TO_NIH = {"Enlarged Cardiomediastinum", "Fracture", "Support Devices"}


def _table(folder: Path, text: str) -> Path:
    table = folder / "labels.csv"
    table.write_text(text, encoding="utf-8")
    return table


def test_nih_findings_become_chexpert_labels_and_the_rest_stays_unknown(tmp_path: Path) -> None:
    table = _table(tmp_path, "image,findings,patient_id\na.png,Edema|Mass,7\nb.png,No Finding,8\nc.png,Hernia,8\n")
    edema, normal, hernia = read_rows(table, tmp_path)
    assert {label for label, present in edema.labels.items() if present} == {"Edema", "Lung Opacity", "Lung Lesion"}
    assert set(LABELS) - set(edema.labels) == UNKNOWN_TO_NIH
    assert {label for label, present in normal.labels.items() if present} == {"No Finding"}
    assert not any(hernia.labels.values())
    assert (edema.patient, normal.patient) == ("nih:7", "nih:8")


def test_the_nih_original_layout_is_read_too(tmp_path: Path) -> None:
    table = _table(tmp_path, "Image Index,Finding Labels,Patient ID\n00000001_000.png,Effusion,1\n")
    (row,) = read_rows(table, tmp_path / "images")
    assert row.path == tmp_path / "images" / "00000001_000.png"
    assert row.labels["Pleural Effusion"]


@pytest.mark.parametrize("column", ["view_position", "View Position"])
def test_lateral_pictures_are_left_out_of_every_table(tmp_path: Path, column: str) -> None:
    lines = f"image,findings,patient_id,{column}\na.png,Edema,7,LAT\nb.png,Edema,8,AP\nc.png,Edema,9,\n"
    assert [row.patient for row in read_rows(_table(tmp_path, lines), tmp_path)] == ["nih:8", "nih:9"]


def test_labels_that_follow_the_processing_are_masked(tmp_path: Path) -> None:
    lines = "image,findings,patient_id,collection\na.png,No Finding,1,a\nb.png,Pneumonia|Edema,2,b\n"
    for name in ("a.png", "b.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    _table(tmp_path, lines)
    images = read_source(tmp_path, 8)
    assert list(images.patients) == ["nih:2"]  # collection a is normal as a whole
    unknown = {label for column, label in enumerate(LABELS) if not images.known[0, column]}
    assert unknown == UNKNOWN_TO_NIH | {"Lung Opacity", "No Finding", "Pneumonia"}
    assert images.targets[0, LABELS.index("Edema")] == 1.0


@pytest.mark.parametrize(("policy", "edema"), [("ignore", None), ("zeros", False), ("ones", True)])
def test_the_policy_decides_what_uncertain_means(tmp_path: Path, policy: str, edema: bool | None) -> None:
    table = _table(
        tmp_path,
        "Path,Frontal/Lateral,Edema,Fracture,Pneumonia\n"
        "patient00003/study1/view1_frontal.jpg,Frontal,-1.0,1.0,\n"
        "patient00003/study1/view2_lateral.jpg,Lateral,1.0,1.0,\n",
    )
    (row,) = read_rows(table, tmp_path, uncertain=uncertain_policy([policy]))
    assert row.labels.get("Edema") is edema
    assert row.labels["Fracture"] is True
    assert row.labels["Pneumonia"] is False
    assert row.patient == "chexpert:patient00003"


def test_one_labels_policy_wins_over_that_of_all() -> None:
    policy = uncertain_policy(["Edema=ones", "zeros"])
    assert policy["Edema"] == "ones"
    assert policy["Fracture"] == "zeros"
    for wrong, reason in (("maybe", "ignore, zeros, ones"), ("Oedema=ones", "no label")):
        with pytest.raises(ValueError, match=reason):
            uncertain_policy([wrong])


def test_chexpert_and_nih_pictures_are_found_where_the_archives_unpack(tmp_path: Path) -> None:
    path = "patient1/study1/view1_frontal.png"
    for file in (tmp_path / path, tmp_path / "images_002" / "images" / "2.png"):
        file.parent.mkdir(parents=True)
        Image.new("L", (8, 8)).save(file)
    (chexpert,) = read_rows(_table(tmp_path, f"Path,Edema\nCheXpert-v1.0-small/{path},\n"), tmp_path)
    (nih,) = read_rows(_table(tmp_path, "Image Index,Finding Labels,Patient ID\n2.png,Hernia,2\n"), tmp_path)
    assert chexpert.path.exists()
    assert nih.path.exists()


def test_all_unreadable_pictures_are_named_at_once(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "fine.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    lines = "".join(f"{name}.png,No Finding,1\n" for name in ("fine", "broken", "absent"))
    with pytest.raises(UnreadablePictures) as refusal:
        read_source(_table(tmp_path, "image,findings,patient_id\n" + lines), 8)
    broken, absent = refusal.value.failures
    assert "broken.png: The content is neither" in broken
    assert "absent.png: No such file" in absent


def test_what_a_table_says_beside_the_labels_is_kept_and_the_rest_is_unknown(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    table = _table(tmp_path, "image,findings,patient_id,patient_age,patient_sex\na.png,Mass|Effusion,2,38,F\n")
    facts = dict(zip(SIDE_FACTS, read_source(table, 8).side_facts[0], strict=True))
    assert (facts["Mass"], facts["Nodule"], facts["female"]) == (1.0, 0.0, 1.0)
    assert facts["age"] == pytest.approx(0.4)
    assert np.isnan(facts["AP"])


def test_a_training_picture_is_decoded_as_a_served_one(tmp_path: Path) -> None:
    """16-bit PNG: Pillow's own conversion to 8 bits would clip it to white."""
    Image.fromarray(np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)).save(tmp_path / "a.png")
    table = _table(tmp_path, "image,findings,patient_id\na.png,No Finding,2\n")
    served = read_radiograph((tmp_path / "a.png").read_bytes()).grey
    assert np.array_equal(read_source(table, 8).pixels[0], served)


def test_an_unknown_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="laid out"):
        read_rows(_table(tmp_path, "file,diagnosis\na.png,x\n"), tmp_path)


def test_a_phantom_gallery_reads_back_with_every_label_known(tmp_path: Path) -> None:
    table = write_gallery(tmp_path, 3, seed=1, size=64)
    images = load_images(read_rows(table, tmp_path), 32, "gallery")
    assert images.pixels.shape == (3, 32, 32)
    assert images.known.all()
    assert (images.targets.sum(axis=1) > 0).all()


def test_a_patient_is_in_one_part_whatever_the_folder() -> None:
    patients = [f"nih:{n}" for n in range(3000)]
    parts = [part_of(patient) for patient in patients]
    assert parts == [part_of(patient) for patient in patients]
    share = {part: parts.count(part) / len(parts) for part in ("train", "validation", "test")}
    assert share["test"] == pytest.approx(0.15, abs=0.02)
    assert share["validation"] == pytest.approx(0.12, abs=0.02)


def test_phantoms_for_training_are_repeatable_and_show_everything() -> None:
    first, second = (phantom_images(40, seed=3, size=32, balance=1.0, workers=1) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert (first.targets.sum(axis=0) > 0).sum() >= 12


@pytest.mark.real_data
def test_no_patient_of_the_real_folders_is_in_two_parts(real_data: Path) -> None:
    folders = sorted(real_data.glob("nih_*"))
    owners: dict[str, set[str]] = {}
    pictures = 0
    for folder in folders:
        for row in read_rows(folder / "labels.csv", folder):
            owners.setdefault(row.patient, set()).add(part_of(row.patient))
            pictures += 1
    assert pictures > 9000
    assert all(len(parts) == 1 for parts in owners.values())


def test_abnormal_is_a_finding_other_than_no_finding() -> None:
    targets = np.zeros((3, 14), dtype=np.float32)
    targets[0, LABELS.index("No Finding")] = 1.0
    targets[1, LABELS.index("Edema")] = 1.0
    images = LabelledImages(
        np.zeros((3, 4, 4), np.uint8),
        targets,
        np.ones((3, 14), bool),
        np.array(["a", "b", "c"]),
        np.array(["x"] * 3),
        np.stack([no_side_facts()] * 3),
    )
    assert abnormal(images).tolist() == [False, True, False]
    assert len(parts_of(images)) == 3
