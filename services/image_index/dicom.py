"""DICOM files: the gates that a radiograph must pass, its metadata, and its pixels as 8-bit grey.

Of a multi-frame object the first frame is read. Values that could name a patient never reach a message or a log.
"""

import io
import logging
import warnings
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from services.image_index.dicom_frame import decode_first_frame
from services.image_index.dicom_grey import to_grey
from services.image_index.dicom_metadata import metadata_of
from services.image_index.isolated import IsolatedDecoders
from services.image_index.radiograph import Limits, Radiograph
from shared.errors import InvalidInput, ServiceError

# pydicom's warnings and log lines quote the values they complain about: patient data.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module="pydicom")

RADIOGRAPHY = ("CR", "DX")
_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"  # Digital X-Ray Image Storage - For Processing
_META_START = 132  # after the preamble and "DICM"


def read_dicom(data: bytes, limits: Limits, decoders: IsolatedDecoders | None = None) -> Radiograph:
    """Raises InvalidInput (damaged, or a gate is closed) or PayloadTooLarge."""
    try:
        dataset = _parse(data)
        _check_gates(dataset)
        frame = decode_first_frame(dataset, data, limits, decoders)
        metadata = metadata_of(dataset)
        grey = to_grey(frame, dataset)
    except (ServiceError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    # pydicom and its decoders raise nearly every class on damaged files; a decoder written in Rust panics, and pyo3's
    # PanicException is no Exception.
    except BaseException as error:
        raise InvalidInput("The DICOM file is damaged: it cannot be parsed and decoded to its end.") from error
    return Radiograph(grey, metadata, _text(dataset, "PatientID") or None)


def _parse(data: bytes) -> Dataset:
    meta = read_dataset(
        io.BytesIO(data[_META_START:]),
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag.group != 2,
    )
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        # Deflate can blow up a thousandfold, and pydicom inflates it whole before anything can be checked.
        raise InvalidInput("The deflated transfer syntax is not read. Send the file in any other one.")
    return dcmread(io.BytesIO(data))


def _check_gates(dataset: Dataset) -> None:
    modality = _text(dataset, "Modality")
    if modality not in RADIOGRAPHY:
        raise InvalidInput("The modality is not CR or DX. Only radiographs are indexed.")
    if "FOR PROCESSING" in _text(dataset, "PresentationIntentType") or _text(dataset, "SOPClassUID") == _FOR_PROCESSING:
        raise InvalidInput("The image is for processing: raw detector data. Send the one for presentation.")
    if _text(dataset, "BurnedInAnnotation") == "YES":
        raise InvalidInput("BurnedInAnnotation is YES: the pixels may name the patient. Remove the text first.")
    if "PixelData" not in dataset or not dataset.PixelData:
        raise InvalidInput("The file has no PixelData.")


def _text(dataset: Dataset, keyword: str) -> str:
    value: Any = dataset.get(keyword)
    return "" if value is None else str(value).strip()
