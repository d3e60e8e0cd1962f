"""One picture, held by DICOM, PNG and JPEG in many ways, is one picture."""

import io
from pathlib import Path

import gdcm
import numpy as np
import pytest
from PIL import Image

from services.image_index.pictures.read import read_radiograph
from tests.image_index.pictures.dicom.encodings import ENCODINGS, EXPECTED, PICTURE
from tests.image_index.pictures.dicom.made_dicom import made_dicom, recoded


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_is_the_same_picture_within_one_grey_level(name: str) -> None:
    grey = read_radiograph(ENCODINGS[name]()).grey

    assert grey.dtype == np.uint8
    assert grey.shape == EXPECTED.shape
    assert np.abs(grey.astype(float) - EXPECTED).max() <= 1


@pytest.mark.parametrize("syntax", ["JPEGLSLossless", "JPEGLosslessProcess14_1", "JPEG2000Lossless", "RLELossless"])
def test_files_of_another_encoder_are_the_same_picture(syntax: str, tmp_path: Path) -> None:
    data = recoded(made_dicom(), getattr(gdcm.TransferSyntax, syntax), tmp_path)

    assert np.abs(read_radiograph(data).grey.astype(float) - EXPECTED).max() <= 1


def test_jpeg_baseline_inside_dicom_is_the_picture_of_the_jpeg(tmp_path: Path) -> None:
    eight_bits = np.rint(PICTURE * 255).astype(np.uint8)
    data = recoded(
        made_dicom(eight_bits, bits=8, WindowCenter=128, WindowWidth=256),
        gdcm.TransferSyntax.JPEGBaselineProcess1,
        tmp_path,
    )

    assert np.abs(read_radiograph(data).grey.astype(float) - EXPECTED).mean() < 2


@pytest.mark.parametrize("quality", [75, 95])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpegs_of_every_colour_space_are_the_picture(mode: str, quality: int) -> None:
    out = io.BytesIO()
    Image.fromarray(EXPECTED.astype(np.uint8)).convert(mode).save(out, "JPEG", quality=quality)

    assert np.abs(read_radiograph(out.getvalue()).grey.astype(float) - EXPECTED).mean() < 4


def test_a_rotated_photograph_is_turned_upright() -> None:
    picture = Image.fromarray(EXPECTED.astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    out = io.BytesIO()
    picture.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", quality=95, exif=exif)
    grey = read_radiograph(out.getvalue()).grey

    assert grey.shape == EXPECTED.shape
    assert np.abs(grey.astype(float) - EXPECTED).mean() < 4


def test_transparent_pixels_are_black() -> None:
    picture = Image.new("RGBA", (4, 4), (255, 255, 255, 0))
    picture.putpixel((1, 1), (255, 255, 255, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    grey = read_radiograph(out.getvalue()).grey

    assert grey[1, 1] == 255
    assert int(grey.sum()) == 255


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["chest_pa_j2k_mono1.dcm", "chest_pa_jpeg_mono2.dcm"])
def test_a_real_radiograph_has_dark_lungs_beside_a_bright_spine(real_data: Path, name: str) -> None:
    grey = read_radiograph((real_data / "dicom" / name).read_bytes()).grey.astype(float)
    rows, columns = grey.shape
    thorax = grey[int(rows * 0.25) : int(rows * 0.6)]
    spine = thorax[:, int(columns * 0.45) : int(columns * 0.52)].mean()
    lungs = [thorax[:, int(columns * left) : int(columns * (left + 0.1))].mean() for left in (0.25, 0.65)]

    assert spine > max(lungs) + 25
    assert np.ptp(grey) > 200
