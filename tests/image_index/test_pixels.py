import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DigitalXRayImageStorageForProcessing,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from services.image_index.pixels import media_type_of, read_radiograph
from services.image_index.radiograph import Limits
from shared.errors import InvalidInput, PayloadTooLarge, UnsupportedMediaType
from tests.image_index.made_dicom import made_dicom, to_bytes


def png(size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).save(out, "PNG")
    return out.getvalue()


def jpeg(size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(out, "JPEG")
    return out.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bomb(side: int) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


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
        ({"Modality": None}, "CR or DX"),
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


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(PayloadTooLarge, match="bytes"):
        read_radiograph(png(), Limits(max_bytes=50))


@pytest.mark.parametrize("side", [2000, 12_000, 60_000])
def test_a_png_that_claims_too_many_pixels_is_refused_undecoded(side: int) -> None:
    with pytest.raises(PayloadTooLarge, match="pixels"):
        read_radiograph(png_bomb(side), Limits(max_pixels=1_000_000))


def test_a_dicom_that_claims_too_many_pixels_is_refused_undecoded() -> None:
    with pytest.raises(PayloadTooLarge, match="pixels"):
        read_radiograph(to_bytes(made_dicom(Rows=60_000, Columns=60_000)))


def test_too_many_frames_are_refused() -> None:
    with pytest.raises(PayloadTooLarge, match="frames"):
        read_radiograph(to_bytes(made_dicom(NumberOfFrames=1000)))


def encapsulated(code: bytes, syntax: str, **elements: object) -> bytes:
    dataset = made_dicom(np.zeros((64, 64), dtype=np.uint8), bits=8, **elements)
    dataset.PixelData = encapsulate([code])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    return to_bytes(dataset)


def test_a_codestream_that_claims_more_pixels_than_its_header_is_refused_undecoded() -> None:
    code = bytearray(jpeg())
    place = code.index(b"\xff\xc0") + 5
    code[place : place + 4] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(PayloadTooLarge, match="pixels"):
        read_radiograph(encapsulated(bytes(code), JPEGBaseline8Bit))

    j2k = b"\xff\x4f\xff\x51\x00\x29\x00\x00" + struct.pack(">IIII", 100_000, 100_000, 0, 0) + bytes(40)
    with pytest.raises(PayloadTooLarge, match="pixels"):
        read_radiograph(encapsulated(j2k, JPEG2000Lossless))


def test_a_codestream_of_another_size_than_its_header_is_invalid() -> None:
    with pytest.raises(InvalidInput, match="do not agree"):
        read_radiograph(encapsulated(jpeg((32, 64)), JPEGBaseline8Bit))


def test_run_lengths_beyond_the_frame_are_not_expanded() -> None:
    runs = b"\x81\x07" * 1_000_000  # each pair of bytes stands for 128
    code = struct.pack("<16I", 1, 64, *[0] * 14) + runs

    assert read_radiograph(encapsulated(code, RLELossless, WindowWidth=14, WindowCenter=7)).grey.shape == (64, 64)


def test_a_run_length_that_ends_within_a_run_is_invalid() -> None:
    code = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x7f\x00"

    with pytest.raises(InvalidInput, match="damaged"):
        read_radiograph(encapsulated(code, RLELossless))
