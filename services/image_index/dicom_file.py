"""A DICOM file's bytes to the few elements that are used, with bounded memory.

Only the elements named here are kept: names, addresses and free text are skipped over, not parsed and dropped.
"""

import io
import logging
import warnings
import zlib

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from services.image_index.radiograph import Limits
from shared.errors import InvalidInput, PayloadTooLarge

# pydicom's warnings and log lines quote the values they complain about: patient data.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module="pydicom")

_GATES = ("SOPClassUID", "Modality", "PresentationIntentType", "BurnedInAnnotation")
_METADATA = (
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "ViewPosition",
    "PatientID",  # to be hashed
    "PatientSex",
    "PatientAge",
    "PatientBirthDate",  # where there is no age
    "StudyDate",
)
_FRAME = (
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    *(
        f"{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    ),
)
_GREYS = (
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "ModalityLUTSequence",
    "RescaleSlope",
    "RescaleIntercept",
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenter",
    "WindowWidth",
    "PresentationLUTShape",
    "PixelAspectRatio",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
)
_PIXELS = (
    "FloatPixelData",
    "DoubleFloatPixelData",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "PixelData",
)
_HEADER_TAGS = [BaseTag(tag_for_keyword(keyword) or 0) for keyword in (*_GATES, *_METADATA, *_FRAME, *_GREYS)]
_PIXEL_TAGS = [BaseTag(tag_for_keyword(keyword) or 0) for keyword in _PIXELS]
_PIXEL_GROUP = 0x7FE0

# pydicom holds some tens of bytes for each byte of a header that is made of empty elements, and more than a thousand
# for each item of a sequence. The largest things that come before the pixels are overlays: one bit for a pixel.
MAX_HEADER_BYTES = 8 * 2**20
MAX_ITEMS = 100_000
_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")  # little and big endian

_META_START = 132  # after the preamble and "DICM"
# A file's beginning that says: what follows is explicit VR, little endian.
_PLAIN_BEGINNING = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x00" + b"1.2.840.10008.1.2.1\0"


def read_elements(data: bytes, limits: Limits) -> Dataset:
    """The elements that are used, PixelData as stored. Raises PayloadTooLarge, InvalidInput, or whatever pydicom raises
    on damage.
    """
    data = _inflated(data, limits)
    beginning = data[:MAX_HEADER_BYTES]
    if max(beginning.count(tag) for tag in _ITEM_TAGS) > MAX_ITEMS:
        raise PayloadTooLarge(f"The header has more than {MAX_ITEMS:,} sequence items.")
    header = io.BytesIO(beginning)
    dataset = read_partial(header, _at_pixels, specific_tags=list(_HEADER_TAGS))
    if len(data) > MAX_HEADER_BYTES <= header.tell():
        raise PayloadTooLarge(f"The header is longer than {MAX_HEADER_BYTES:,} bytes.")
    if not dataset.file_meta.get("TransferSyntaxUID"):
        raise InvalidInput("The file names no transfer syntax.")
    whole = io.BytesIO(data)
    whole.seek(header.tell())
    is_implicit_vr, is_little_endian = dataset.original_encoding
    pixels = read_dataset(
        whole, bool(is_implicit_vr), bool(is_little_endian), stop_when=_after_pixels, specific_tags=list(_PIXEL_TAGS)
    )
    dataset.update(pixels)
    return dataset


def _at_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group >= _PIXEL_GROUP


def _after_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group > _PIXEL_GROUP


def _inflated(data: bytes, limits: Limits) -> bytes:
    """The file with its data set inflated, if it is deflated. Deflate can blow up a thousandfold, and pydicom would
    inflate it whole before anything can be checked.
    """
    meta_stream = io.BytesIO(data)
    meta_stream.seek(_META_START)
    meta = read_dataset(
        meta_stream,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag.group != 2,
        specific_tags=[BaseTag(0x00020010)],
    )
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return data
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflater.decompress(data[meta_stream.tell() :], limits.max_bytes + 1)
    if len(body) > limits.max_bytes:
        raise PayloadTooLarge(f"Inflated, the file has more than the {limits.max_bytes:,} bytes that are read.")
    if not inflater.eof:
        raise InvalidInput("The DICOM file is damaged: its deflated part is cut short.")
    return _PLAIN_BEGINNING + body
