"""The first frame of a DICOM object as stored values, with sizes checked before a decoder runs."""

import io
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from services.image_index.pictures.codestream import Codestream, read_codestream
from services.image_index.pictures.dicom.fragments import first_frame_code
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.dicom.pixel_attributes import (
    COLOURS,
    DESCRIPTION,
    GREY,
    PALETTE,
    PARTIAL,
    frames_of,
    settle_attributes,
)
from services.image_index.pictures.dicom.transfer_syntax import STURDY, check_readable, settle_syntax
from services.image_index.pictures.dicom.windows import windows_of
from services.image_index.pictures.limits import Limits
from shared.errors import InvalidInput, PayloadTooLarge

_MOST_TILES = 20_000  # 64 × 64 tiles of the largest picture are fewer; a JPEG 2000 decoder holds kilobytes for each
_HALVED_COLOURS = ("YBR_FULL_422", PARTIAL)  # two lumas share a pair of colour differences


def check_frame(dataset: Dataset, limits: Limits) -> None:
    """Whatever can be told of the pixels without decoding them; the dataset then says it as the standard means it.
    Raises PayloadTooLarge, UnsupportedMediaType or InvalidInput.
    """
    settle_syntax(dataset)
    settle_attributes(dataset)
    limits.check_frames(frames_of(dataset))
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    if rows < 1 or columns < 1:
        raise InvalidInput("Rows or Columns is 0.")
    limits.check_size(rows, columns)
    _check_samples(dataset)
    check_readable(dataset.file_meta.TransferSyntaxUID)
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_length(dataset, rows, columns)
        return
    stream = read_codestream(_first_code(dataset))
    _check_codestream(stream, rows, columns, int(dataset.SamplesPerPixel), limits)
    if stream:
        _believe(stream, dataset)


def decode_first_frame(dataset: Dataset, decoders: IsolatedDecoders | None = None) -> NDArray[Any]:
    """(rows, columns) stored values, signed or unsigned, unused bits cleared; of a colour object (rows, columns, 3)
    red, green, blue. `dataset` has passed `check_frame`.

    Without `decoders`, a process is started where one is needed.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        values = _native(dataset)
    elif syntax in STURDY:
        values = pixel_array(_first_frame_alone(dataset), index=0, decoding_plugin=STURDY[syntax])
    else:
        with nullcontext(decoders) if decoders else IsolatedDecoders() as processes:
            values = processes.first_frame(_as_file(_first_frame_alone(dataset)))
    if dataset.PhotometricInterpretation == PALETTE:
        return apply_color_lut(values, dataset)[..., :3]
    return values if values.ndim == 3 else _without_unused_bits(values, int(dataset.BitsStored))


def _first_code(dataset: Dataset) -> bytes:
    return first_frame_code(dataset.PixelData, frames_of(dataset))


def _first_frame_alone(dataset: Dataset) -> Dataset:
    """What a decoder needs of a compressed object, and nothing that it could stumble over."""
    alone = Dataset()
    alone.file_meta = FileMetaDataset()
    alone.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    for keyword in DESCRIPTION:
        if keyword in dataset:
            setattr(alone, keyword, getattr(dataset, keyword))
    if dataset.PhotometricInterpretation == PARTIAL:
        alone.PhotometricInterpretation = "YBR_FULL_422"  # of a JPEG, whatever it is called
    alone.PixelData = encapsulate([_first_code(dataset)], has_bot=False)
    alone["PixelData"].VR = "OB"
    alone["PixelData"].is_undefined_length = True
    return alone


def _as_file(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.preamble = bytes(128)
    dcmwrite(out, dataset, implicit_vr=False, little_endian=True)
    return out.getvalue()


def _check_samples(dataset: Dataset) -> None:
    photometric = dataset.PhotometricInterpretation
    samples = 3 if photometric in COLOURS else 1
    if photometric == PALETTE and "RedPaletteColorLookupTableData" not in dataset:
        # A segmented palette of some bytes can stand for millions of colours.
        raise InvalidInput("The palette is segmented or missing, which is not read.")
    if photometric not in (*GREY, *COLOURS, PALETTE):
        raise InvalidInput("The PhotometricInterpretation is none of grey, RGB, YBR and palette colour.")
    if int(dataset.SamplesPerPixel) != samples:
        raise InvalidInput("SamplesPerPixel does not agree with PhotometricInterpretation.")
    allocated = int(dataset.BitsAllocated)
    if allocated > 16:
        raise InvalidInput("BitsAllocated is more than 16, which no radiograph needs.")
    if allocated not in (1, 8, 16):
        raise InvalidInput("BitsAllocated is none of 1, 8 and 16.")
    if not 1 <= int(dataset.BitsStored) <= allocated:
        raise InvalidInput("BitsStored is more than BitsAllocated, or 0.")


def _check_length(dataset: Dataset, rows: int, columns: int) -> None:
    samples = 2 if dataset.PhotometricInterpretation in _HALVED_COLOURS else int(dataset.SamplesPerPixel)
    bits = rows * columns * samples * frames_of(dataset) * int(dataset.BitsAllocated)
    if 8 * len(dataset.PixelData) < bits:
        raise InvalidInput("The DICOM file is damaged: PixelData is shorter than Rows, Columns and NumberOfFrames say.")


def _check_codestream(stream: Codestream | None, rows: int, columns: int, samples: int, limits: Limits) -> None:
    if stream is None:
        return
    limits.check_size(stream.rows, stream.columns)
    limits.check_scans(stream.scans)
    if stream.tiles > _MOST_TILES:
        raise PayloadTooLarge(f"The compressed picture has more than {_MOST_TILES:,} tiles.")
    if (stream.rows, stream.columns) != (rows, columns):
        raise InvalidInput("Rows and Columns do not agree with the compressed picture.")
    if stream.components != samples:
        raise InvalidInput("SamplesPerPixel does not agree with the compressed picture.")


def _believe(stream: Codestream, dataset: Dataset) -> None:
    """Where the file and the codestream within disagree on the size of a cell, the codestream is right: a JPEG of 8
    bits described as 16 is common. A window far beyond what its samples can reach was meant for those it was made from.
    """
    cell = 8 if stream.bits <= 8 else 16
    if cell == int(dataset.BitsAllocated) or stream.bits > 16 or int(dataset.BitsAllocated) not in (8, 16):
        return
    reach = 2 << stream.bits
    is_beyond = (window.center + window.width / 2 > reach for window in windows_of(dataset, 1))
    if stream.bits < int(dataset.BitsStored) and any(is_beyond):
        dataset.WindowCenter = None
    dataset.BitsAllocated = cell
    dataset.BitsStored = min(int(dataset.BitsStored), stream.bits) if cell == 8 else stream.bits
    dataset.HighBit = dataset.BitsStored - 1
    if stream.process == "JPEG":
        dataset.PixelRepresentation = 0  # its samples have no sign


def _native(dataset: Dataset) -> NDArray[Any]:
    """Before 2006, samples might sit anywhere in their cell: HighBit says where, if it is true."""
    if dataset.PhotometricInterpretation == PARTIAL:
        dataset.PhotometricInterpretation = "YBR_FULL_422"
        return _full_range(pixel_array(dataset, index=0))
    stored = int(dataset.BitsStored)
    unused = int(dataset.HighBit) + 1 - stored
    if not 0 < unused <= int(dataset.BitsAllocated) - stored:
        return pixel_array(dataset, index=0)
    dataset.BitsStored += unused
    values = pixel_array(dataset, index=0)
    dataset.BitsStored -= unused
    return values if _lies_low(values, stored, unused) else np.asarray(values >> unused)


def _lies_low(values: NDArray[Any], stored: int, unused: int) -> bool:
    """Whether HighBit lies: bits below the samples are set, and none above the lowest that could hold them."""
    low, high = int(values.min()), int(values.max())
    return -(1 << stored - 1) <= low and high < 1 << stored and bool((values & ((1 << unused) - 1)).any())


def _full_range(colours: NDArray[Any]) -> NDArray[Any]:
    """Luma of 16 to 235 was read as if it were of 0 to 255."""
    return np.asarray(np.clip(np.rint((colours.astype(np.float32) - 16) * (255 / 219)), 0, 255), dtype=np.uint8)


def _without_unused_bits(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """A codestream of 16 bits may hold more than the stored bits: old overlays, or anything."""
    signed = values.dtype.kind == "i"
    most = (1 << bits - signed) - 1
    if values.max() <= most and (not signed or values.min() >= -most - 1):
        return values
    unused = 8 * values.dtype.itemsize - bits
    return np.asarray(values << unused >> unused)
