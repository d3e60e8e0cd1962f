"""One picture, held by DICOM, PNG and JPEG in many ways, is one picture."""

import io
from collections.abc import Callable
from pathlib import Path

import gdcm
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from services.image_index.pixels import read_radiograph
from tests.image_index.made_dicom import made_dicom, made_picture, recoded, to_bytes

PICTURE = made_picture()
EXPECTED = np.rint(PICTURE * 255)


def stored(bits: int = 12) -> np.ndarray:
    return np.rint(PICTURE * (2**bits - 1)).astype(np.uint16)


def lookup_table(table: np.ndarray, *, first: int = 0, bits: int = 16) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(table), first, bits])
    item.add_new("LUTData", "US", [int(entry) for entry in table])
    return item


RAMP_16 = np.rint(np.linspace(0, 65535, 4096))
RAMP_12 = np.arange(4096)


def with_padding() -> bytes:
    values = stored()
    values[PICTURE == 0] = 4000  # a collimator that the detector left bright
    values[(values == 4000) & (PICTURE > 0)] = 4001
    return to_bytes(made_dicom(values, PixelPaddingValue=4000))


def with_padding_range() -> bytes:
    values = np.rint(PICTURE * 2000).astype(np.uint16)
    values[PICTURE == 0] = np.linspace(3000, 4000, (PICTURE == 0).sum()).astype(np.uint16)
    return to_bytes(
        made_dicom(values, PixelPaddingValue=4000, PixelPaddingRangeLimit=3000, WindowCenter=1000.5, WindowWidth=2001)
    )


def compressed(syntax: str) -> bytes:
    dataset = made_dicom()
    dataset.compress(syntax, encoding_plugin="pylibjpeg")
    return to_bytes(dataset)


def with_syntax(syntax: str) -> bytes:
    dataset = made_dicom(stored().astype(">u2") if syntax == ExplicitVRBigEndian else stored())
    dataset.file_meta.TransferSyntaxUID = syntax
    return to_bytes(dataset)


def overlaid() -> bytes:
    """Bits above BitsStored hold an overlay, as older detectors wrote it."""
    values = stored()
    values[10:20] |= 0xF000
    return to_bytes(made_dicom(values))


def png(mode: str, bits: int = 8) -> bytes:
    picture = Image.fromarray(np.rint(PICTURE * (2**bits - 1)).astype(np.uint16 if bits > 8 else np.uint8))
    out = io.BytesIO()
    (picture if bits > 8 else picture.convert(mode)).save(out, "PNG")
    return out.getvalue()


ENCODINGS: dict[str, Callable[[], bytes]] = {
    "MONOCHROME2, 12 bits": lambda: to_bytes(made_dicom()),
    "MONOCHROME1": lambda: to_bytes(made_dicom(4095 - stored(), photometric="MONOCHROME1")),
    "MONOCHROME1 with PresentationLUTShape": lambda: to_bytes(
        made_dicom(4095 - stored(), photometric="MONOCHROME1", PresentationLUTShape="INVERSE")
    ),
    "10 bits": lambda: to_bytes(made_dicom(stored(10), bits=10)),
    "15 bits": lambda: to_bytes(made_dicom(stored(15), bits=15)),
    "16 bits": lambda: to_bytes(made_dicom(stored(16), bits=16)),
    "8 bits": lambda: to_bytes(
        made_dicom(
            stored(8).astype(np.uint8), bits=8, WindowCenter=127.5, WindowWidth=255, VOILUTFunction="LINEAR_EXACT"
        )
    ),
    "signed": lambda: to_bytes(made_dicom(stored().astype(np.int16) - 2048, WindowCenter=0)),
    "slope 2, intercept -1000": lambda: to_bytes(
        made_dicom(RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3095.5, WindowWidth=8191)
    ),
    "slope -1": lambda: to_bytes(made_dicom(4095 - stored(), RescaleSlope=-1, RescaleIntercept=4095)),
    "modality table": lambda: to_bytes(
        made_dicom(4095 - stored(), ModalityLUTSequence=[lookup_table(RAMP_12[::-1])], WindowCenter=2048)
    ),
    "VOI table": lambda: to_bytes(made_dicom(VOILUTSequence=[lookup_table(RAMP_16)], WindowWidth=10)),
    "VOI table of 12 bits described as 16": lambda: to_bytes(made_dicom(VOILUTSequence=[lookup_table(RAMP_12)])),
    "VOI table over negative values": lambda: to_bytes(
        made_dicom(VOILUTSequence=[lookup_table(RAMP_16, first=2**16 - 1000)], RescaleIntercept=-1000, RescaleSlope=1)
    ),
    "several windows": lambda: to_bytes(made_dicom(WindowCenter=[2048, 300, 4000], WindowWidth=[4096, 50, 100])),
    "LINEAR_EXACT": lambda: to_bytes(made_dicom(WindowCenter=2047.5, WindowWidth=4095, VOILUTFunction="LINEAR_EXACT")),
    "padding": with_padding,
    "padding range": with_padding_range,
    "overlay in unused bits": overlaid,
    "RLE": lambda: compressed(RLELossless),
    "JPEG 2000": lambda: compressed(JPEG2000Lossless),
    "implicit VR": lambda: with_syntax(ImplicitVRLittleEndian),
    "big endian": lambda: with_syntax(ExplicitVRBigEndian),
    "two frames": lambda: to_bytes(made_dicom(np.stack([stored(), stored()[::-1]]))),
    "PNG": lambda: png("L"),
    "PNG, 16 bits": lambda: png("I;16", 16),
    "PNG, 12 bits in 16": lambda: png("I;16", 12),
    "PNG, colour": lambda: png("RGB"),
    "PNG, palette": lambda: png("P"),
    "PNG, transparency": lambda: png("RGBA"),
}


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


def test_a_sigmoid_window_is_half_bright_at_its_center() -> None:
    values = np.array([[0, 1024, 2048, 3072, 4095]], dtype=np.uint16)
    data = to_bytes(made_dicom(values, WindowCenter=2048, WindowWidth=2048, VOILUTFunction="SIGMOID"))

    assert read_radiograph(data).grey.tolist() == [[5, 30, 128, 225, 250]]


def test_without_a_window_the_percentiles_of_what_is_not_padding_span_the_greys() -> None:
    values = stored() // 4 + 500
    values[PICTURE == 0] = 4000
    data = to_bytes(made_dicom(values, WindowCenter=None, WindowWidth=None, PixelPaddingValue=4000))
    grey = read_radiograph(data).grey

    assert grey[PICTURE > 0].min() == 0
    assert grey.max() == 255
    assert (grey[PICTURE == 0] == 0).all()


def test_scaling_is_by_the_window_and_not_by_the_values_found() -> None:
    values = np.full((4, 4), 1024, dtype=np.uint16)
    values[0, 0] = 2048

    assert read_radiograph(to_bytes(made_dicom(values))).grey.max() == 128


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
