"""PNG and JPEG to 8-bit grey."""

import io

import numpy as np
from PIL import Image, ImageChops, ImageOps

from services.image_index.pictures.codestream import read_codestream
from services.image_index.pictures.deep_png import is_deep, read_deep
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.radiograph import Grey
from shared.errors import InvalidInput, PayloadTooLarge, ServiceError, UnsupportedMediaType

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}


def read_picture(data: bytes, media_type: str, limits: Limits) -> Grey:
    """The first frame, upright by its EXIF orientation, colour as luma, transparency on black."""
    name = _FORMATS[media_type]
    try:
        if name == "JPEG":
            _check_jpeg(data, limits)
        with Image.open(io.BytesIO(data), formats=[name]) as picture:
            limits.check_size(picture.height, picture.width)
            limits.check_frames(getattr(picture, "n_frames", 1))
            if is_deep(picture):
                return read_deep(picture, data)
            picture.load()
            return _grey(ImageOps.exif_transpose(picture))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PayloadTooLarge(f"The {name} has more than the {limits.max_pixels:,} pixels that are decoded.") from error
    except (ServiceError, MemoryError):
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error … on damaged files
        raise InvalidInput(f"The {name} is damaged or cut short: it cannot be decoded to its end.") from error


def _check_jpeg(data: bytes, limits: Limits) -> None:
    """What a decoder for everyday JPEGs cannot do is told apart from damage."""
    stream = read_codestream(data)
    if stream is None:
        return
    if stream.process != "JPEG" or stream.bits != 8:
        raise UnsupportedMediaType(
            f"{stream.process} of {stream.bits} bits a sample is read inside DICOM only. Send DICOM, PNG or 8-bit JPEG."
        )
    limits.check_size(stream.rows, stream.columns)
    limits.check_scans(stream.scans)


def _grey(picture: Image.Image) -> Grey:
    if picture.has_transparency_data:
        if picture.mode not in ("LA", "RGBA"):
            picture = picture.convert("RGBA")
        return np.asarray(ImageChops.multiply(picture.convert("L"), picture.getchannel("A")))
    if picture.mode not in ("L", "RGB"):
        picture = picture.convert("RGB")  # CMYK, YCbCr, palette, 1 bit
    return np.asarray(picture.convert("L"))
