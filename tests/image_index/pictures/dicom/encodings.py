"""One picture, held by DICOM and PNG in many ways."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from tests.image_index.pictures.dicom.made_dicom import made_dicom, made_picture, to_bytes

PICTURE = made_picture()
EXPECTED = np.rint(PICTURE * 255)
RAMP_16 = np.rint(np.linspace(0, 65535, 4096))
RAMP_12 = np.arange(4096)


def stored(bits: int = 12) -> np.ndarray:
    return np.rint(PICTURE * (2**bits - 1)).astype(np.uint16)


def lookup_table(table: np.ndarray, *, first: int = 0, bits: int = 16) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(table), first, bits])
    item.add_new("LUTData", "US", [int(entry) for entry in table])
    return item


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


def left_aligned() -> bytes:
    """12 bits in the upper part of their cells, below them whatever was there."""
    return to_bytes(made_dicom(stored() << 4 | np.uint16(0x0A), HighBit=15))


def signed_with_unused_bits() -> bytes:
    values = stored().astype(np.int16) - 2048
    return to_bytes(made_dicom((values & 0x0FFF) | 0x3000, WindowCenter=0))


def signed_with_padding() -> bytes:
    values = stored().astype(np.int16) - 2048
    values[PICTURE == 0] = 2000
    values[(values == 2000) & (PICTURE > 0)] = 1999
    return to_bytes(made_dicom(values, PixelPaddingValue=2000, WindowCenter=0))


def implicit(dataset: Dataset) -> bytes:
    """Without VRs in the file, a reader must know whether a table's descriptor is signed."""
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return to_bytes(dataset)


def table_of_words(table: np.ndarray, *, bits: int = 16) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(table) % 2**16, 0, bits])
    item.add_new("LUTData", "OW", table.astype("<u2").tobytes())
    return item


def big_endian_table() -> bytes:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 16])
    item.add_new("LUTData", "OW", RAMP_16.astype(">u2").tobytes())
    dataset = made_dicom(stored().astype(">u2"), VOILUTSequence=[item], WindowWidth=10)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    return to_bytes(dataset)


def table_of_65536_entries() -> bytes:
    return to_bytes(made_dicom(stored(16), bits=16, VOILUTSequence=[table_of_words(np.arange(2**16))], WindowWidth=10))


def rgb(planar: int, bits: int = 8) -> bytes:
    values = np.rint(PICTURE * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    colours = np.stack([values] * 3, axis=0 if planar else -1)
    dataset = made_dicom(values, bits=bits, photometric="RGB", WindowWidth=10, WindowCenter=20, RescaleSlope=3)
    dataset.SamplesPerPixel, dataset.PlanarConfiguration, dataset.PixelData = 3, planar, colours.tobytes()
    return to_bytes(dataset)


def ybr(photometric: str) -> bytes:
    """Grey in YBR is luma with both colour differences at 128; of 4:2:2, two lumas share a pair of them."""
    luma, flat = np.rint(PICTURE * 255).astype(np.uint8), np.full((96, 80), 128, dtype=np.uint8)
    dataset = made_dicom(luma, bits=8, photometric=photometric)
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    parts = (
        [luma, flat, flat] if photometric == "YBR_FULL" else [luma[:, ::2], luma[:, 1::2], flat[:, ::2], flat[:, ::2]]
    )
    dataset.PixelData = np.stack(parts, axis=-1).tobytes()
    return to_bytes(dataset)


def palette(bits: int) -> bytes:
    """Stored values count down, the colours they stand for count up."""
    dataset = made_dicom(255 - np.rint(PICTURE * 255).astype(np.uint8), bits=8, photometric="PALETTE COLOR")
    colours = np.arange(256)[::-1] * (257 if bits == 16 else 1)
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, bits])
        setattr(
            dataset, f"{colour}PaletteColorLookupTableData", colours.astype("<u2" if bits == 16 else "u1").tobytes()
        )
    return to_bytes(dataset)


def jpeg_in_dicom_without_window() -> bytes:
    """8 bits without any transform are what they are, in DICOM as in a PNG."""
    return to_bytes(made_dicom(stored(8).astype(np.uint8), bits=8, WindowCenter=None, WindowWidth=None))


def animated_png() -> bytes:
    """Animated: of several pictures the first."""
    out = io.BytesIO()
    first, second = Image.fromarray(EXPECTED.astype(np.uint8)), Image.new("L", (80, 96), 9)
    first.save(out, "PNG", save_all=True, append_images=[second])
    return out.getvalue()


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
    "samples at the upper end of their cells": left_aligned,
    "signed, with other bits in unused ones": signed_with_unused_bits,
    "signed, with padding": signed_with_padding,
    "signed, with padding, implicit VR": lambda: implicit(dcmread(io.BytesIO(signed_with_padding()))),
    "slope 0 is none": lambda: to_bytes(made_dicom(RescaleSlope=0, RescaleIntercept=0)),
    "slope 0.001": lambda: to_bytes(
        made_dicom(
            RescaleSlope="0.001",
            RescaleIntercept=0,
            WindowCenter="2.0475",
            WindowWidth="4.095",
            VOILUTFunction="LINEAR_EXACT",
        )
    ),
    "lookup tables as words": lambda: to_bytes(made_dicom(VOILUTSequence=[table_of_words(RAMP_16)], WindowWidth=10)),
    "lookup tables as words, big endian": big_endian_table,
    "lookup tables, implicit VR": lambda: implicit(
        made_dicom(
            4095 - stored(), ModalityLUTSequence=[lookup_table(RAMP_12[::-1])], VOILUTSequence=[lookup_table(RAMP_16)]
        )
    ),
    "VOI table over negative values, implicit VR": lambda: implicit(
        made_dicom(
            stored().astype(np.int16) - 2048, VOILUTSequence=[lookup_table(RAMP_16, first=2**16 - 2048)], WindowCenter=0
        )
    ),
    "VOI table of 65,536 entries": table_of_65536_entries,
    "MONOCHROME1, slope -1": lambda: to_bytes(
        made_dicom(photometric="MONOCHROME1", RescaleSlope=-1, RescaleIntercept=4095)
    ),
    "MONOCHROME1, signed, several windows": lambda: to_bytes(
        made_dicom(
            2047 - stored().astype(np.int16), photometric="MONOCHROME1", WindowCenter=[0, 9], WindowWidth=[4096, 1]
        )
    ),
    "PresentationLUTShape alone": lambda: to_bytes(made_dicom(4095 - stored(), PresentationLUTShape="INVERSE")),
    "8 bits without a window": jpeg_in_dicom_without_window,
    "RGB, by pixel": lambda: rgb(0),
    "RGB, by plane": lambda: rgb(1),
    "RGB, 16 bits": lambda: rgb(0, 16),
    "YBR_FULL": lambda: ybr("YBR_FULL"),
    "YBR_FULL_422": lambda: ybr("YBR_FULL_422"),
    "palette of 8 bits": lambda: palette(8),
    "palette of 16 bits": lambda: palette(16),
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
    "PNG, grey and transparency": lambda: png("LA"),
    "PNG, animated": animated_png,
}
