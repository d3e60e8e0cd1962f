"""The gates that a radiograph must pass: made to be looked at, and naming nobody."""

from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)

from services.image_index.pictures.limits import Limits
from shared.errors import BurnedInText, InvalidInput

_RADIOGRAPHY = {"CR", "DX"}
_RADIOGRAPHY_CLASSES = (ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation)
# Made by another machine, whatever the SOP class says. DR, RG, XR, OT and what no standard knows are not among them:
# words for a radiograph that archives use.
_OTHER_MACHINES = {
    "BI", "BMD", "CT", "DOC", "ECG", "EPS", "ES", "GM", "HD", "IO", "IVOCT", "IVUS", "KO", "LS", "MG", "MR", "NM",
    "OCT", "OP", "OPT", "PR", "PT", "PX", "REG", "RF", "RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT", "SEG", "SM",
    "SR", "US", "XA", "XC",
}  # fmt: skip


def check_gates(dataset: Dataset, limits: Limits) -> None:
    """Raises InvalidInput for what is no radiograph made to be looked at; BurnedInText for what says that it may
    name its patient, unless `limits` let it in.
    """
    sop_class = text_of(dataset, "SOPClassUID") or str(dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if not _is_radiograph(text_of(dataset, "Modality").upper(), sop_class):
        raise InvalidInput("The modality is not CR or DX, nor does the SOP class say so. Only radiographs are indexed.")
    intent = text_of(dataset, "PresentationIntentType").upper()
    if "FOR PROCESSING" in intent or sop_class == DigitalXRayImageStorageForProcessing:
        raise InvalidInput("The image is for processing: raw detector data. Send the one for presentation.")
    if is_burned_in(dataset) and not limits.burned_in_annotation:
        raise BurnedInText("BurnedInAnnotation is YES: the pixels may name the patient. Remove the text first.")
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise InvalidInput("The pixels are floating-point numbers: a computed map. Only whole numbers are read.")
    if "PixelData" not in dataset or not dataset.PixelData:
        raise InvalidInput("The file has no PixelData.")


def is_burned_in(dataset: Dataset) -> bool:
    return text_of(dataset, "BurnedInAnnotation").upper() == "YES"


def _is_radiograph(modality: str, sop_class: str) -> bool:
    """CR and DX are, in any SOP class: real radiographs come as Secondary Capture too. Other words for it, or none, are
    believed where the SOP class is that of a radiograph.
    """
    return modality in _RADIOGRAPHY or (sop_class in _RADIOGRAPHY_CLASSES and modality not in _OTHER_MACHINES)


def text_of(dataset: Dataset, keyword: str) -> str:
    value: Any = dataset.get(keyword)
    return "" if value is None else str(value).strip()
