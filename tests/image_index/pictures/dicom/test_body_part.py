"""What a header says of the part of the body."""

import pytest
from pydicom.dataset import Dataset

from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from tests.image_index.pictures.dicom.encodings import implicit
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value", "ignore:The value length")

CHESTS = [
    "CHEST", "Chest", "thorax", "PORT CHEST", "CHEST_TO_ABDOMEN", "CHESTABDPELVIS", "CHEST/ABDOMEN", "LUNG", "LUNGS",
    "RIBS", "RIB", "TORAX", "WHOLEBODY", "ABDOMEN\\CHEST", "SPINE OF THORAX",
]  # fmt: skip
NOT_UNDERSTOOD = ["", None, "STERNUM", "XYZ", "Mustermann", "TRIBE", "PLAIN", "1"]
OTHERS = {
    "KNEE": "KNEE", "knee": "KNEE", "KNEE_LEFT": "KNEE", "LT HAND": "HAND", "HANDS": "HAND", "SKULL": "SKULL",
    "Abdomen": "ABDOMEN", "ABDOMEN PORTABLE": "ABDOMEN", "PELVIS": "PELVIS", "LSPINE": "LSPINE",
    "THORACIC SPINE": "SPINE", "FOOT": "FOOT", "Foot-R": "FOOT", "BREAST": "BREAST", "MUELLER KNEE": "KNEE",
}  # fmt: skip


def region(meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "SCT", meaning
    return item


def said_of(dataset: Dataset) -> str | None:
    """As read and from the header alone, in two ways of writing."""
    said = {
        tell(data)
        for data in (to_bytes(dataset), implicit(dataset))
        for tell in (lambda data: read_radiograph(data).other_body_part, lambda data: check_header(data, Limits()))
    }
    assert len(said) == 1
    return said.pop()


@pytest.mark.parametrize("word", [*CHESTS, *NOT_UNDERSTOOD])
def test_a_chest_and_what_is_not_understood_are_let_through(word: str | None) -> None:
    assert said_of(made_dicom(BodyPartExamined=word)) is None if word is not None else said_of(made_dicom()) is None


@pytest.mark.parametrize("word", OTHERS)
def test_another_part_of_the_body_is_told_in_words_of_ours(word: str) -> None:
    assert said_of(made_dicom(BodyPartExamined=word)) == f"BodyPartExamined says {OTHERS[word]}"


def test_the_region_tells_it_where_the_body_part_does_not() -> None:
    knee = made_dicom(AnatomicRegionSequence=[region("Knee")])
    both = made_dicom(BodyPartExamined="KNEE", AnatomicRegionSequence=[region("Chest")])

    assert said_of(knee) == "AnatomicRegionSequence says KNEE"
    assert said_of(both) is None
    for items in ([], [Dataset()], [region("")], [region("Chest")], [region("Knee"), region("Chest")]):
        assert said_of(made_dicom(AnatomicRegionSequence=items)) is None
