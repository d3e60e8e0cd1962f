"""One picture in the compressed transfer syntaxes, by encoders other than our decoders' own."""

from collections.abc import Callable

import imagecodecs
import numpy as np
from pydicom.encaps import encapsulate_extended
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from tests.image_index.pictures.dicom.made_dicom import encapsulated, made_dicom, made_picture, to_bytes

PICTURE = made_picture()
EXPECTED = np.rint(PICTURE * 255)
STORED = np.rint(PICTURE * 4095).astype(np.uint16)
SIGNED = STORED.astype(np.int16) - 2048
EIGHT_BITS = EXPECTED.astype(np.uint8)
COLOURS = np.stack([EIGHT_BITS] * 3, axis=-1)  # (rows, columns, 3)


def signed(code: bytes, syntax: str) -> bytes:
    return encapsulated(made_dicom(SIGNED, WindowCenter=0), code, syntax)


def in_eight_bits(code: bytes, syntax: str) -> bytes:
    return encapsulated(made_dicom(EIGHT_BITS, bits=8, WindowCenter=128, WindowWidth=256), code, syntax)


def in_colour(code: bytes, syntax: str, photometric: str) -> bytes:
    dataset = made_dicom(EIGHT_BITS, bits=8, photometric=photometric, SamplesPerPixel=3, PlanarConfiguration=0)
    return encapsulated(dataset, code, syntax)


def two_frames(fragments: int = 1) -> bytes:
    codes = [imagecodecs.jpegls_encode(frame) for frame in (STORED, STORED[::-1].copy())]
    return encapsulated(made_dicom(np.stack([STORED, STORED])), codes, JPEGLSLossless, fragments=fragments)


def with_extended_offsets() -> bytes:
    codes = [imagecodecs.htj2k_encode(frame, reversible=True) for frame in (STORED, STORED[::-1].copy())]
    pixels, offsets, lengths = encapsulate_extended(codes)
    dataset = made_dicom(np.stack([STORED, STORED]), ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths)
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    return to_bytes(dataset)


def deflated() -> bytes:
    dataset = made_dicom()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return to_bytes(dataset)


ENCODINGS: dict[str, Callable[[], bytes]] = {
    "HTJ2K, lossless": lambda: encapsulated(
        made_dicom(), imagecodecs.htj2k_encode(STORED, reversible=True), HTJ2KLossless
    ),
    "HTJ2K, lossless, RPCL": lambda: encapsulated(
        made_dicom(), imagecodecs.htj2k_encode(STORED, reversible=True), HTJ2KLosslessRPCL
    ),
    "HTJ2K, lossy": lambda: encapsulated(made_dicom(), imagecodecs.htj2k_encode(STORED, reversible=False), HTJ2K),
    "HTJ2K, signed": lambda: signed(imagecodecs.htj2k_encode(SIGNED, reversible=True), HTJ2KLossless),
    "HTJ2K, two frames, extended offset table": with_extended_offsets,
    "JPEG 2000, lossy": lambda: encapsulated(
        made_dicom(), imagecodecs.jpeg2k_encode(STORED, level=75, codecformat="j2k", bitspersample=12), JPEG2000
    ),
    "JPEG 2000, signed": lambda: signed(
        imagecodecs.jpeg2k_encode(SIGNED, level=0, codecformat="j2k", bitspersample=12), JPEG2000Lossless
    ),
    "JPEG-LS": lambda: encapsulated(made_dicom(), imagecodecs.jpegls_encode(STORED), JPEGLSLossless),
    "JPEG-LS, near lossless": lambda: encapsulated(
        made_dicom(), imagecodecs.jpegls_encode(STORED, level=3), JPEGLSNearLossless
    ),
    "JPEG-LS in many fragments without an offset table": lambda: encapsulated(
        made_dicom(), imagecodecs.jpegls_encode(STORED), JPEGLSLossless, fragments=7
    ),
    "JPEG-LS, two frames": two_frames,
    "JPEG-LS, two frames of several fragments, without an offset table": lambda: two_frames(fragments=3),
    "JPEG, lossless": lambda: encapsulated(
        made_dicom(), imagecodecs.ljpeg_encode(STORED, bitspersample=12), JPEGLosslessSV1
    ),
    "JPEG, 12 bits": lambda: encapsulated(
        made_dicom(), imagecodecs.jpeg8_encode(STORED, level=99, bitspersample=12), JPEGExtended12Bit
    ),
    "JPEG, extended process of 8 bits": lambda: in_eight_bits(
        imagecodecs.jpeg8_encode(EIGHT_BITS, level=100), JPEGExtended12Bit
    ),
    "JPEG, baseline": lambda: in_eight_bits(imagecodecs.jpeg8_encode(EIGHT_BITS, level=100), JPEGBaseline8Bit),
    "JPEG, baseline, colour": lambda: in_colour(
        imagecodecs.jpeg8_encode(COLOURS, level=100, subsampling="422"), JPEGBaseline8Bit, "YBR_FULL_422"
    ),
    "JPEG 2000, colour": lambda: in_colour(
        imagecodecs.jpeg2k_encode(COLOURS, level=0, codecformat="j2k", mct=True), JPEG2000Lossless, "YBR_RCT"
    ),
    "JPEG-LS, colour": lambda: in_colour(imagecodecs.jpegls_encode(COLOURS), JPEGLSLossless, "RGB"),
    "deflated": deflated,
}
