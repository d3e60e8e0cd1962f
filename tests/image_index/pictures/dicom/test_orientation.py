"""Pictures that a header calls turned or mirrored are put upright."""

import numpy as np
import pytest

from services.image_index.pictures.read import read_radiograph
from tests.image_index.pictures.dicom.made_dicom import made_dicom, made_picture, to_bytes

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value")

STORED = np.rint(made_picture() * 4095).astype(np.uint16)
UPRIGHT = read_radiograph(to_bytes(made_dicom(STORED))).grey
# What was done to the upright picture, by which way its rows and columns then run.
DONE = {
    ("L", "F"): STORED,
    ("H", "L"): np.rot90(STORED, -1),  # a quarter turn clockwise
    ("R", "H"): np.rot90(STORED, 2),
    ("F", "R"): np.rot90(STORED, 1),
    ("R", "F"): STORED[:, ::-1],
    ("L", "H"): STORED[::-1],
    ("F", "L"): STORED.T,
    ("H", "R"): np.rot90(STORED, 2).T,
}


@pytest.mark.parametrize("orientation", DONE)
def test_a_frontal_picture_is_put_upright_by_its_patient_orientation(orientation: tuple[str, str]) -> None:
    stored = np.ascontiguousarray(DONE[orientation])
    grey = read_radiograph(to_bytes(made_dicom(stored, PatientOrientation=list(orientation)))).grey

    assert grey.flags.c_contiguous
    assert np.array_equal(grey, UPRIGHT)


@pytest.mark.parametrize(
    "said", [["A", "F"], ["P", "H"], ["LA", "H"], ["L", "R"], ["F", "H"], ["L"], "", None, ["X", "Y"], ["L", "F", "H"]]
)
def test_what_is_lateral_oblique_or_not_understood_turns_nothing(said: object) -> None:
    dataset = made_dicom(STORED)
    if said is not None:
        dataset.PatientOrientation = said

    assert np.array_equal(read_radiograph(to_bytes(dataset)).grey, UPRIGHT)


def test_what_was_done_to_the_field_of_view_is_not_done_again() -> None:
    dataset = made_dicom(STORED, FieldOfViewRotation=90, FieldOfViewHorizontalFlip="YES")

    assert np.array_equal(read_radiograph(to_bytes(dataset)).grey, UPRIGHT)


def test_pixels_are_made_square_before_a_picture_is_turned() -> None:
    turned = np.ascontiguousarray(np.rot90(STORED, -1))
    spacing = {"PixelSpacing": [0.1, 0.2], "PatientOrientation": ["H", "L"]}

    assert read_radiograph(to_bytes(made_dicom(turned, **spacing))).grey.shape == (192, 80)
