"""The first frame of a DICOM object as stored values, with sizes checked before a decoder runs."""

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from services.image_index.isolated import IsolatedDecoders
from services.image_index.radiograph import Limits
from shared.errors import InvalidInput, PayloadTooLarge

# Decoders that stand damaged input. What they cannot decode is left to isolated processes.
_STURDY = {
    JPEGBaseline8Bit: "pillow",
    JPEG2000: "pylibjpeg",
    JPEG2000Lossless: "pylibjpeg",
    HTJ2K: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    HTJ2KLosslessRPCL: "pylibjpeg",
    RLELossless: "pylibjpeg",
}
_NO_SIZE_MARKERS = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC: between the SOF markers, but no frame headers
_WITHOUT_LENGTH = {0xFF, 0x01, *range(0xD0, 0xD8)}  # fill byte, TEM, restart markers
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


def decode_first_frame(
    dataset: Dataset, data: bytes, limits: Limits, decoders: IsolatedDecoders | None = None
) -> NDArray[Any]:
    """Stored values (rows, columns), signed or unsigned, unused bits cleared; colour objects as luma.

    `data` is the file that `dataset` was parsed from. Without `decoders`, a process is started where one is needed.
    """
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > limits.max_frames:
        raise PayloadTooLarge(f"The object has {frames} frames; at most {limits.max_frames} are accepted.")
    if rows < 1 or columns < 1:
        raise InvalidInput("Rows or Columns is 0.")
    limits.check_size(rows, columns)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        size = coded_size(get_frame(dataset.PixelData, 0, number_of_frames=frames))
        if size is not None:
            limits.check_size(*size)
            if size != (rows, columns):
                raise InvalidInput("Rows and Columns do not agree with the compressed picture.")
    if syntax.is_encapsulated and syntax not in _STURDY:
        with nullcontext(decoders) if decoders else IsolatedDecoders() as processes:
            values = processes.first_frame(data)
    else:
        values = pixel_array(dataset, index=0, decoding_plugin=_STURDY.get(syntax, ""))
    if values.ndim == 3:
        return np.asarray(values.astype(np.float32) @ _LUMA)
    return values


def coded_size(code: bytes) -> tuple[int, int] | None:
    """(rows, columns) that a JPEG, JPEG-LS or JPEG 2000 codestream claims; None for RLE.

    A codestream can claim more than the DICOM header around it does, and a decoder believes the codestream.
    """
    if code.startswith(b"\xff\xd8"):
        return _jpeg_size(code)
    start = code.find(b"\xff\x4f\xff\x51", 0, 4096)  # SOC, SIZ; the boxes of a JP2 file may come before
    if start >= 0:
        x_size, y_size, x_start, y_start = (
            int.from_bytes(code[start + offset : start + offset + 4]) for offset in (8, 12, 16, 20)
        )
        return y_size - y_start, x_size - x_start
    return None


def _jpeg_size(code: bytes) -> tuple[int, int]:
    position = 2
    while position + 9 <= len(code):
        if code[position] != 0xFF:
            break
        marker = code[position + 1]
        is_frame = 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE_MARKERS
        if is_frame or marker == 0xF7:  # SOF55: JPEG-LS
            return int.from_bytes(code[position + 5 : position + 7]), int.from_bytes(code[position + 7 : position + 9])
        if marker in _WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        position += 2 + int.from_bytes(code[position + 2 : position + 4])
    raise InvalidInput("The compressed picture has no frame header.")
