"""DICOM files: their metadata, and their pixels as 8-bit grey.

Of a multi-frame object the first frame is read, and the metadata say of how many. Values that could name a patient
never reach a message or a log.
"""

from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.body_part import other_body_part
from services.image_index.pictures.dicom.elements import read_elements
from services.image_index.pictures.dicom.frame import check_frame, decode_first_frame
from services.image_index.pictures.dicom.gates import check_gates, is_burned_in, text_of
from services.image_index.pictures.dicom.grey import to_grey
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.dicom.metadata import accession_issuer_of, day_of, metadata_of
from services.image_index.pictures.dicom.orientation import upright
from services.image_index.pictures.dicom.pixel_attributes import frames_of
from services.image_index.pictures.dicom.square_pixels import with_square_pixels
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.radiograph import Radiograph
from shared.errors import InvalidInput, ServiceError


def read_dicom(data: bytes, limits: Limits, decoders: IsolatedDecoders | None = None) -> Radiograph:
    """Raises InvalidInput (damaged, or a gate is closed), UnsupportedMediaType (a transfer syntax that nothing here
    decodes) or PayloadTooLarge.
    """
    try:
        dataset = read_checked(data, limits)
        frame = decode_first_frame(dataset, decoders)
        return Radiograph(
            grey=upright(with_square_pixels(to_grey(frame, dataset), dataset, limits), dataset),
            metadata=metadata_of(dataset),
            patient_id=text_of(dataset, "PatientID") or None,
            accession_number=text_of(dataset, "AccessionNumber") or None,
            accession_issuer=accession_issuer_of(dataset),
            study_date=day_of(dataset.get("StudyDate")),
            frames=frames_of(dataset),
            burned_in=is_burned_in(dataset),
            other_body_part=other_body_part(dataset),
        )
    except (ServiceError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    # pydicom and its decoders raise nearly every class on damaged files; a decoder written in Rust panics, and pyo3's
    # PanicException is no Exception.
    except BaseException as error:
        raise InvalidInput("The DICOM file is damaged: it cannot be parsed and decoded to its end.") from error


def read_checked(data: bytes, limits: Limits) -> Dataset:
    """The elements of a file that passes everything which can be told without decoding it."""
    dataset = read_elements(data, limits)
    check_gates(dataset, limits)
    check_frame(dataset, limits)
    return dataset
