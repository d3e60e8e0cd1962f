"""Which transfer syntaxes are read, and by which decoder."""

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

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


def check_readable(syntax: UID) -> None:
    """Raises UnsupportedMediaType, naming the syntax, where no decoder for it exists or none is installed."""
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
