"""View positions that are codes."""

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from services.image_index.pictures.read import read_radiograph
from tests.image_index.pictures.dicom.encodings import implicit
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

VIEWS = {
    ("R-10206", "SRT", "antero-posterior"): "AP",
    ("399348003", "SCT", "antero-posterior"): "AP",
    ("R-10206", "SNM3", ""): "AP",
    ("R-10214", "SRT", "postero-anterior"): "PA",
    ("R-40888", "SRT", "postero-anterior"): "PA",
    ("272479007", "SCT", "postero-anterior"): "PA",
    ("R-10236", "SRT", "left lateral"): "LATERAL",
    ("399173006", "SCT", ""): "LATERAL",
    ("R-10232", "SRT", "right lateral"): "LATERAL",
    ("399198007", "SCT", ""): "LATERAL",
    ("399067008", "SCT", "lateral"): "LATERAL",
    ("R-10220", "SRT", "left anterior oblique"): "OTHER",
    ("R-10202", "SRT", "frontal"): None,
    ("PA", "99ACME", "postero-anterior"): "PA",
    ("7", "99ACME", "Lateral"): "LATERAL",
    ("7", "99ACME", "standing"): None,
    ("", "", ""): None,
}


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def view_of(data: bytes) -> str | None:
    return read_radiograph(data).metadata.view_position


@pytest.mark.parametrize("said", VIEWS)
def test_a_code_says_the_view(said: tuple[str, str, str]) -> None:
    for position in (None, ""):
        dataset = made_dicom(ViewPosition=position, ViewCodeSequence=[code(*said)])

        assert view_of(to_bytes(dataset)) == VIEWS[said]
        assert view_of(implicit(dataset)) == VIEWS[said]


@pytest.mark.parametrize("keyword", ["ViewCodeSequence", "AnatomicRegionSequence"])
@pytest.mark.parametrize(("vr", "value"), [("US", 1), ("FD", 1.0), ("LO", "lateral"), ("UI", "1.2")])
def test_what_is_no_sequence_says_nothing(keyword: str, vr: str, value: object) -> None:
    dataset = made_dicom(ViewPosition=None)
    dataset[keyword] = DataElement(keyword, vr, value)
    assert view_of(to_bytes(dataset)) is None


@pytest.mark.parametrize(("said", "view"), [(("399067008", "SCT", ""), "LATERAL"), (("7", "99ACME", ""), "OTHER")])
def test_a_code_counts_where_the_position_is_none_of_ours(said: tuple[str, str, str], view: str) -> None:
    assert view_of(to_bytes(made_dicom(ViewPosition="XTABLE", ViewCodeSequence=[code(*said)]))) == view


def test_what_view_position_says_counts_first() -> None:
    assert view_of(to_bytes(made_dicom(ViewPosition="PA", ViewCodeSequence=[code("R-10236", "SRT", "")]))) == "PA"


@pytest.mark.parametrize("items", [[], [Dataset()], [Dataset(), Dataset()]])
def test_a_sequence_without_a_code_says_nothing(items: list[Dataset]) -> None:
    assert view_of(to_bytes(made_dicom(ViewPosition=None, ViewCodeSequence=items))) is None


def test_the_first_item_with_a_code_counts() -> None:
    items = [Dataset(), code("R-10206", "SRT", ""), code("R-10236", "SRT", "")]

    assert view_of(to_bytes(made_dicom(ViewPosition=None, ViewCodeSequence=items))) == "AP"
