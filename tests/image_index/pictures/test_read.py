import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import (
    DigitalXRayImageStorageForProcessing,
    JPEGBaseline8Bit,
    RLELossless,
)

from services.image_index.pictures.read import media_type_of, read_radiograph
from shared.errors import InvalidInput, UnsupportedMediaType
from tests.image_index.pictures.dicom.made_dicom import encapsulated, made_dicom, to_bytes


def png(size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).save(out, "PNG")
    return out.getvalue()


def jpeg(size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "media_type"),
    [(png(), "image/png"), (jpeg(), "image/jpeg"), (to_bytes(made_dicom()), "application/dicom")],
)
def test_the_type_is_read_from_the_content(data: bytes, media_type: str) -> None:
    assert media_type_of(data) == media_type


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(200), b"%PDF-1.7", b"{}", bytes(200), b"RIFF....WEBPVP8 "])
def test_other_content_is_an_unsupported_media_type(data: bytes) -> None:
    with pytest.raises(UnsupportedMediaType):
        read_radiograph(data)


@pytest.mark.parametrize(
    ("elements", "says"),
    [
        ({"Modality": "CT"}, "CR or DX"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "for processing"),
        ({"SOPClassUID": DigitalXRayImageStorageForProcessing}, "for processing"),
        ({"BurnedInAnnotation": "YES"}, "BurnedInAnnotation"),
        ({"PixelData": None}, "no PixelData"),
        ({"Rows": 0}, "Rows or Columns"),
        ({"Rows": 4000}, "damaged"),
    ],
)
def test_what_is_no_radiograph_for_presentation_is_refused_with_the_reason(
    elements: dict[str, object], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_radiograph(to_bytes(made_dicom(**elements)))


@pytest.mark.parametrize("elements", [{"BurnedInAnnotation": "NO"}, {"PresentationIntentType": "FOR PRESENTATION"}])
def test_a_radiograph_for_presentation_passes_the_gates(elements: dict[str, object]) -> None:
    assert read_radiograph(to_bytes(made_dicom(Modality="DX", **elements))).grey.shape == (96, 80)


def test_metadata_comes_from_the_header_and_names_nobody() -> None:
    radiograph = read_radiograph(to_bytes(made_dicom(ViewPosition="LL")))
    metadata = radiograph.metadata

    assert (metadata.view_position, metadata.patient_sex, metadata.patient_age) == ("LATERAL", "F", 63)
    assert metadata.study_instance_uid == "1.2.826.0.1.3680043.8.498.1"
    assert radiograph.patient_id == "MRN-0042"
    assert "Doe" not in repr(radiograph)
    assert "MRN" not in repr(radiograph)


@pytest.mark.filterwarnings("ignore:Invalid value")
@pytest.mark.parametrize(
    ("elements", "years"),
    [
        ({"PatientAge": "018M"}, 1.5),
        ({"PatientAge": "026W"}, 0.5),
        ({"PatientAge": "62"}, 62),
        ({"PatientAge": "999Y"}, None),
        ({"PatientAge": "old"}, None),
        ({"PatientAge": None}, None),
        ({"PatientAge": None, "PatientBirthDate": "19500601", "StudyDate": "20200531"}, 69),
        ({"PatientAge": "old", "PatientBirthDate": "19500601", "StudyDate": "20200531"}, 69),
        ({"PatientAge": None, "PatientBirthDate": "20200601", "StudyDate": "19500531"}, None),
    ],
)
def test_age_is_in_years_or_left_out(elements: dict[str, object], years: float | None) -> None:
    assert read_radiograph(to_bytes(made_dicom(**elements))).metadata.patient_age == years


def test_odd_header_values_are_left_out_and_the_picture_is_still_read() -> None:
    metadata = read_radiograph(to_bytes(made_dicom(ViewPosition="SKYLINE", PatientSex="", PatientID=None))).metadata

    assert (metadata.view_position, metadata.patient_sex) == ("OTHER", None)


@pytest.mark.parametrize("whole", [png(), jpeg(), to_bytes(made_dicom())], ids=["png", "jpeg", "dicom"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_cut_short_is_invalid_and_says_so(whole: bytes, share: float) -> None:
    with pytest.raises(InvalidInput, match="damaged"):
        read_radiograph(whole[: int(len(whole) * share)])


def small() -> Dataset:
    return made_dicom(np.zeros((64, 64), dtype=np.uint8), bits=8)


def test_a_codestream_of_another_size_than_its_header_is_invalid() -> None:
    with pytest.raises(InvalidInput, match="do not agree"):
        read_radiograph(encapsulated(small(), jpeg((32, 64)), JPEGBaseline8Bit))


def test_a_run_length_that_ends_within_a_run_is_invalid() -> None:
    code = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x7f\x00"

    with pytest.raises(InvalidInput, match="damaged"):
        read_radiograph(encapsulated(small(), code, RLELossless))


def test_a_multi_picture_jpeg_is_its_first_picture() -> None:
    out = io.BytesIO()
    first, second = Image.new("L", (64, 64), 100), Image.new("L", (32, 32), 200)
    first.save(out, "MPO", save_all=True, append_images=[second])

    grey = read_radiograph(out.getvalue()).grey

    assert (grey.shape, round(grey.mean())) == ((64, 64), 100)


def test_a_progressive_jpeg_is_the_picture_of_a_baseline_one() -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "JPEG", progressive=True)

    assert np.abs(read_radiograph(out.getvalue()).grey.astype(int) - read_radiograph(jpeg((256, 256))).grey).max() <= 1


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (imagecodecs.jpegls_encode(np.zeros((64, 64), np.uint8)), "JPEG-LS of 8 bits"),
        (imagecodecs.ljpeg_encode(np.zeros((64, 64), np.uint16), bitspersample=12), "lossless JPEG of 12 bits"),
        (imagecodecs.jpeg8_encode(np.zeros((64, 64), np.uint16), bitspersample=12), "JPEG of 12 bits"),
    ],
)
def test_a_jpeg_that_is_read_inside_dicom_only_is_told_from_a_damaged_one(code: bytes, says: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=says):
        read_radiograph(code)


def test_colour_is_laid_on_black_by_its_luma_and_its_transparency() -> None:
    picture = Image.new("RGBA", (1, 4))
    for row, pixel in enumerate([(255, 0, 0, 255), (0, 255, 0, 255), (255, 255, 255, 128), (255, 255, 255, 0)]):
        picture.putpixel((0, row), pixel)
    out = io.BytesIO()
    picture.save(out, "PNG")

    assert read_radiograph(out.getvalue()).grey.ravel().tolist() == [76, 150, 128, 0]
