"""Bytes in, one grey picture with its metadata out, whatever the file format. Knows no HTTP and no model."""

from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.dicom.part_10 import is_dicom
from services.image_index.pictures.dicom.read import read_dicom
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.png_jpeg import read_picture
from services.image_index.pictures.radiograph import Radiograph
from shared.errors import UnsupportedMediaType

PNG = "image/png"
JPEG = "image/jpeg"
DICOM = "application/dicom"


_SIGNATURES = {b"\x89PNG\r\n\x1a\n": PNG, b"\xff\xd8\xff": JPEG}


def media_type_of(data: bytes) -> str:
    """What the content says it is; a client's Content-Type or a file's name is not asked."""
    for signature, media_type in _SIGNATURES.items():
        if data.startswith(signature):
            return media_type
    if is_dicom(data):
        return DICOM
    raise UnsupportedMediaType("The content is neither PNG, JPEG nor DICOM.")


def read_radiograph(data: bytes, limits: Limits | None = None, decoders: IsolatedDecoders | None = None) -> Radiograph:
    """Decode one file. `decoders` are worth keeping where many DICOM files are read.

    Raises UnsupportedMediaType (not PNG, JPEG or DICOM), PayloadTooLarge (beyond `limits`, found before decoding) or
    InvalidInput (damaged, or a DICOM object that is no radiograph for presentation).
    """
    limits = limits or Limits()
    limits.check_bytes(len(data))
    media_type = media_type_of(data)
    if media_type == DICOM:
        return read_dicom(data, limits, decoders)
    return Radiograph(read_picture(data, media_type, limits))
