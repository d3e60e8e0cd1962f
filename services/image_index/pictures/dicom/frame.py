"""The first frame of a DICOM object as stored values, with sizes checked before a decoder runs."""

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from services.image_index.pictures.codestream import Codestream, read_codestream
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.dicom.transfer_syntax import STURDY, check_readable
from services.image_index.pictures.limits import Limits
from shared.errors import InvalidInput, PayloadTooLarge

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_PALETTE = "PALETTE COLOR"
_MOST_TILES = 20_000  # 64 × 64 tiles of the largest picture are fewer; a JPEG 2000 decoder holds kilobytes for each


def check_frame(dataset: Dataset, limits: Limits) -> None:
    """Whatever can be told of the pixels without decoding them. Raises PayloadTooLarge, UnsupportedMediaType or
    InvalidInput.
    """
    limits.check_frames(frames_of(dataset))
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    if rows < 1 or columns < 1:
        raise InvalidInput("Rows or Columns is 0.")
    limits.check_size(rows, columns)
    _check_samples(dataset)
    syntax = dataset.file_meta.TransferSyntaxUID
    check_readable(syntax)
    if syntax.is_encapsulated:
        _check_codestream(_first_codestream(dataset), rows, columns, int(dataset.SamplesPerPixel), limits)


def decode_first_frame(dataset: Dataset, data: bytes, decoders: IsolatedDecoders | None = None) -> NDArray[Any]:
    """(rows, columns) stored values, signed or unsigned, unused bits cleared; of a colour object (rows, columns, 3)
    red, green, blue. `dataset` has passed `check_frame`.

    `data` is the file that `dataset` was read from. Without `decoders`, a process is started where one is needed.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        values = _native(dataset)
    elif syntax in STURDY:
        values = pixel_array(dataset, index=0, decoding_plugin=STURDY[syntax])
    else:
        with nullcontext(decoders) if decoders else IsolatedDecoders() as processes:
            values = processes.first_frame(data)
    if _photometric(dataset) == _PALETTE:
        return apply_color_lut(values, dataset)[..., :3]
    return values if values.ndim == 3 else _without_unused_bits(values, int(dataset.BitsStored))


def frames_of(dataset: Dataset) -> int:
    return max(1, int(dataset.get("NumberOfFrames") or 1))


def _photometric(dataset: Dataset) -> str:
    return str(dataset.PhotometricInterpretation).strip()


def _check_samples(dataset: Dataset) -> None:
    photometric = _photometric(dataset)
    samples = 3 if photometric in _COLOURS else 1
    if photometric == _PALETTE and "RedPaletteColorLookupTableData" not in dataset:
        # A segmented palette of some bytes can stand for millions of colours.
        raise InvalidInput("The palette is segmented or missing, which is not read.")
    if photometric not in (*_GREY, *_COLOURS, _PALETTE):
        raise InvalidInput("The PhotometricInterpretation is none of grey, RGB, YBR and palette colour.")
    if int(dataset.SamplesPerPixel) != samples:
        raise InvalidInput("SamplesPerPixel does not agree with PhotometricInterpretation.")
    if int(dataset.BitsAllocated) > 16:
        raise InvalidInput("BitsAllocated is more than 16, which no radiograph needs.")
    if not 1 <= int(dataset.BitsStored) <= int(dataset.BitsAllocated):
        raise InvalidInput("BitsStored is more than BitsAllocated, or 0.")


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


def _first_codestream(dataset: Dataset) -> Codestream | None:
    frames, offsets = frames_of(dataset), None
    if frames > 1 and "ExtendedOffsetTable" in dataset:  # of a single frame all fragments count
        offsets = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
    return read_codestream(get_frame(dataset.PixelData, 0, number_of_frames=frames, extended_offsets=offsets))


def _native(dataset: Dataset) -> NDArray[Any]:
    """Before 2006, samples might sit anywhere in their cell: HighBit says where."""
    unused = int(dataset.get("HighBit", dataset.BitsStored - 1)) + 1 - int(dataset.BitsStored)
    if not 0 < unused <= int(dataset.BitsAllocated) - int(dataset.BitsStored):
        return pixel_array(dataset, index=0)
    dataset.BitsStored += unused
    values = pixel_array(dataset, index=0) >> unused
    dataset.BitsStored -= unused
    return np.asarray(values)


def _without_unused_bits(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """A codestream of 16 bits may hold more than the stored bits: old overlays, or anything."""
    signed = values.dtype.kind == "i"
    most = (1 << bits - signed) - 1
    if values.max() <= most and (not signed or values.min() >= -most - 1):
        return values
    unused = 8 * values.dtype.itemsize - bits
    return np.asarray(values << unused >> unused)
