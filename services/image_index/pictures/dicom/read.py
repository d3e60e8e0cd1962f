"""DICOM files: the gates that a radiograph must pass, its metadata, and its pixels as 8-bit grey.

Of a multi-frame object the first frame is read, and the metadata say of how many. Values that could name a patient
never reach a message or a log.
"""

from typing import Any

from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.elements import read_elements
from services.image_index.pictures.dicom.frame import check_frame, decode_first_frame, frames_of
from services.image_index.pictures.dicom.grey import to_grey
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.dicom.metadata import day_of, metadata_of
from services.image_index.pictures.dicom.square_pixels import with_square_pixels
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.radiograph import Radiograph
from shared.errors import InvalidInput, ServiceError

RADIOGRAPHY = ("CR", "DX")
_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"  # Digital X-Ray Image Storage - For Processing


def read_dicom(data: bytes, limits: Limits, decoders: IsolatedDecoders | None = None) -> Radiograph:
    """Raises InvalidInput (damaged, or a gate is closed), UnsupportedMediaType (a transfer syntax that nothing here
    decodes) or PayloadTooLarge.
    """
    try:
        dataset = read_elements(data, limits)
        check_gates(dataset)
        check_frame(dataset, limits)
        frame = decode_first_frame(dataset, data, decoders)
        return Radiograph(
            grey=with_square_pixels(to_grey(frame, dataset), dataset, limits),
            metadata=metadata_of(dataset),
            patient_id=_text(dataset, "PatientID") or None,
            study_date=day_of(dataset.get("StudyDate")),
            frames=frames_of(dataset),
        )
    except (ServiceError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    # pydicom and its decoders raise nearly every class on damaged files; a decoder written in Rust panics, and pyo3's
    # PanicException is no Exception.
    except BaseException as error:
        raise InvalidInput("The DICOM file is damaged: it cannot be parsed and decoded to its end.") from error


def check_gates(dataset: Dataset) -> None:
    """Raises InvalidInput for what is no radiograph made to be looked at, or names its patient."""
    modality = _text(dataset, "Modality")
    if modality not in RADIOGRAPHY:
        raise InvalidInput("The modality is not CR or DX. Only radiographs are indexed.")
    if "FOR PROCESSING" in _text(dataset, "PresentationIntentType") or _text(dataset, "SOPClassUID") == _FOR_PROCESSING:
        raise InvalidInput("The image is for processing: raw detector data. Send the one for presentation.")
    if _text(dataset, "BurnedInAnnotation") == "YES":
        raise InvalidInput("BurnedInAnnotation is YES: the pixels may name the patient. Remove the text first.")
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise InvalidInput("The pixels are floating-point numbers: a computed map. Only whole numbers are read.")
    if "PixelData" not in dataset or not dataset.PixelData:
        raise InvalidInput("The file has no PixelData.")


def _text(dataset: Dataset, keyword: str) -> str:
    value: Any = dataset.get(keyword)
    return "" if value is None else str(value).strip()
