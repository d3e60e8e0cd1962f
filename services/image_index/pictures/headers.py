"""What can be told of a file without decoding it: the gates and limits that its header is enough for."""

import io

from PIL import Image

from services.image_index.pictures.dicom.body_part import other_body_part
from services.image_index.pictures.dicom.read import read_checked
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import DICOM, media_type_of
from shared.errors import InvalidInput, ServiceError


def check_header(data: bytes, limits: Limits) -> str | None:
    """What says that it is no chest (`Radiograph.other_body_part`), if anything does. Raises what reading the file
    would raise, as far as its header shows.
    """
    limits.check_bytes(len(data))
    media_type = media_type_of(data)
    try:
        if media_type == DICOM:
            return other_body_part(read_checked(data, limits))
        with Image.open(io.BytesIO(data), formats=["PNG", "JPEG"]) as picture:
            limits.check_size(picture.height, picture.width)
            return None
    except (ServiceError, MemoryError):
        raise
    except Exception as error:  # damaged headers raise nearly every class
        raise InvalidInput("The file's header is damaged.") from error
