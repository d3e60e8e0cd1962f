"""Which transfer syntaxes are read, and by which decoder."""

from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from services.image_index.pictures.codestream import Codestream, read_codestream
from services.image_index.pictures.dicom.fragments import first_frame_code
from shared.errors import UnsupportedMediaType

# Decoders that stand damaged input. What they cannot decode is left to isolated processes.
STURDY = {
    JPEGBaseline8Bit: "pillow",
    JPEG2000: "pylibjpeg",
    JPEG2000Lossless: "pylibjpeg",
    HTJ2K: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    HTJ2KLosslessRPCL: "pylibjpeg",
    RLELossless: "pylibjpeg",
}


_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
# Retired names of progressive JPEG, which a decoder for the processes that are not retired reads.
_RETIRED_JPEG = ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")


def settle_syntax(dataset: Dataset) -> None:
    """Where the file names none, or a retired one, the codestream tells which transfer syntax it is. In place."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in _RETIRED_JPEG or (syntax in _NATIVE and _is_in_fragments(dataset)):
        stream = read_codestream(first_frame_code(dataset.PixelData, 1))
        dataset.file_meta.TransferSyntaxUID = _syntax_of(stream) if stream else RLELossless


def _is_in_fragments(dataset: Dataset) -> bool:
    return bool(dataset["PixelData"].is_undefined_length)


def _syntax_of(stream: Codestream) -> UID:
    if stream.process == "JPEG":
        return JPEGBaseline8Bit if stream.bits == 8 else JPEGExtended12Bit
    return {"lossless JPEG": JPEGLossless, "JPEG-LS": JPEGLSNearLossless, "JPEG 2000": JPEG2000}[stream.process]


def check_readable(syntax: UID) -> None:
    """Raises UnsupportedMediaType, naming the syntax, where no decoder for it exists or none is installed."""
    if syntax in _NATIVE:
        return
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise UnsupportedMediaType(f"{_named(syntax)} is not read. Send the file in another one.") from None
    if not decoder.is_available:
        raise UnsupportedMediaType(f"{_named(syntax)} is not read here: no decoder for it is installed.")


def _named(syntax: UID) -> str:
    """A UID that DICOM does not define may be anything: it is not repeated."""
    if syntax.name == syntax:
        return "A transfer syntax that DICOM does not define"
    return f"The transfer syntax {syntax.name} ({syntax})"
