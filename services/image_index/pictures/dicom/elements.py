"""A DICOM file's bytes to the few elements that are used, with bounded memory.

Only the elements named here are kept: names, addresses and free text are skipped over, not parsed and dropped.
"""

import io
import logging
import warnings

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.tag import BaseTag

from services.image_index.pictures.dicom.part_10 import as_part_10
from services.image_index.pictures.dicom.pixel_attributes import DESCRIPTION
from services.image_index.pictures.limits import Limits
from shared.errors import PayloadTooLarge

# pydicom's warnings and log lines quote the values they complain about: patient data.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module="pydicom")

_GATES = ("SOPClassUID", "Modality", "PresentationIntentType", "BurnedInAnnotation")
_METADATA = (
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "ViewPosition",
    "ViewCodeSequence",  # where there is no position
    "BodyPartExamined",
    "AnatomicRegionSequence",
    "PatientID",  # to be hashed
    "AccessionNumber",  # to be hashed
    "IssuerOfAccessionNumberSequence",  # and with it
    "PatientSex",
    "PatientAge",
    "PatientBirthDate",  # where there is no age
    "StudyDate",
)
_FRAME = (
    *DESCRIPTION,
    "NumberOfFrames",
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
    "PatientOrientation",
)
_PIXELS = (
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
)
_HEADER_TAGS = [BaseTag(tag_for_keyword(keyword) or 0) for keyword in (*_GATES, *_METADATA, *_FRAME, *_GREYS)]
_PIXEL_TAGS = [BaseTag(tag_for_keyword(keyword) or 0) for keyword in _PIXELS]
_PIXEL_GROUP = 0x7FE0

# A header has some hundreds of elements, and pydicom needs two or three reads for each. What it makes of an element,
# and more so of an item of a sequence, is a hundred times as large as the element can be.
MAX_READS = 20_000


class _Header(io.BytesIO):
    """The file, which can be read in a bounded number of pieces."""

    reads = 0

    @property
    def is_spent(self) -> bool:
        return self.reads > MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.is_spent:
            raise EOFError
        return super().read(size)


def read_elements(data: bytes, limits: Limits) -> Dataset:
    """The elements that are used, PixelData as stored. Raises PayloadTooLarge, InvalidInput, or whatever pydicom raises
    on damage.
    """
    data = as_part_10(data, limits)
    header = _Header(data)
    try:
        dataset = read_partial(header, _at_pixels, specific_tags=list(_HEADER_TAGS))
    finally:
        if header.is_spent:  # pydicom may have taken that for the end of the file, or for damage
            raise PayloadTooLarge("The header has more elements than are read.")
    rest = io.BytesIO(data)
    rest.seek(header.tell())
    is_implicit_vr, is_little_endian = dataset.original_encoding
    pixels = read_dataset(
        rest, bool(is_implicit_vr), bool(is_little_endian), stop_when=_after_pixels, specific_tags=list(_PIXEL_TAGS)
    )
    dataset.update(pixels)
    return dataset


def _at_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group >= _PIXEL_GROUP


def _after_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group > _PIXEL_GROUP
