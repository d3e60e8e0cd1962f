"""Which modality and SOP class a radiograph may have."""

import pytest
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    SecondaryCaptureImageStorage,
)

from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from shared.errors import InvalidInput
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value")
OTHER_WORDS = ["DR", "RG", "XR", "OT", "dr", "Xray", "", None]


@pytest.mark.parametrize("sop_class", [ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation])
@pytest.mark.parametrize("modality", ["CR", "DX", "cr", "dx", "Cr ", *OTHER_WORDS])
def test_of_a_radiographs_sop_class_other_words_for_it_are_read(modality: str | None, sop_class: str) -> None:
    data = to_bytes(made_dicom(Modality=modality, SOPClassUID=sop_class))
    check_header(data, Limits())

    assert read_radiograph(data).grey.shape == (96, 80)


@pytest.mark.parametrize("modality", ["CR", "DX", "cr", "dx"])
def test_of_another_sop_class_cr_and_dx_are_read(modality: str) -> None:
    data = to_bytes(made_dicom(Modality=modality, SOPClassUID=SecondaryCaptureImageStorage))

    assert read_radiograph(data).grey.shape == (96, 80)


@pytest.mark.parametrize(
    ("modality", "sop_class"),
    [(modality, SecondaryCaptureImageStorage) for modality in OTHER_WORDS]
    + [(modality, ComputedRadiographyImageStorage) for modality in ("CT", "MR", "us", "MG", "PX", "XA", "RF")]
    + [("OT", CTImageStorage)],
)
def test_what_neither_calls_a_radiograph_is_none(modality: str | None, sop_class: str) -> None:
    data = to_bytes(made_dicom(Modality=modality, SOPClassUID=sop_class))

    for read in (read_radiograph, lambda data: check_header(data, Limits())):
        with pytest.raises(InvalidInput, match="CR or DX, nor does the SOP class"):
            read(data)


def test_without_a_sop_class_the_meta_information_says_it() -> None:
    assert read_radiograph(to_bytes(made_dicom(Modality="DR", SOPClassUID=None))).grey.shape == (96, 80)
