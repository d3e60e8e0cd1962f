"""What describes the pixels, made one way of writing it: as the standard means it where that is clear, else refused."""

from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from services.image_index.pictures.dicom.numbers import first_integer
from shared.errors import InvalidInput

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_422")
PALETTE = "PALETTE COLOR"
PARTIAL = "YBR_PARTIAL_422"  # retired: luma from 16 to 235

DESCRIPTION = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)
_NUMBERS = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
_AS_LUMA = (JPEGBaseline8Bit, JPEGExtended12Bit)  # whose encoders turn red, green and blue into luma and differences


def settle_attributes(dataset: Dataset) -> None:
    """Sets every attribute that a decoder asks for, in place. Raises InvalidInput that names one which nothing else
    tells.
    """
    if _is_settled(dataset):
        return
    for keyword in ("Rows", "Columns"):
        setattr(dataset, keyword, _needed(dataset, keyword))
    if "NumberOfFrames" in dataset:
        dataset.NumberOfFrames = max(1, first_integer(dataset, "NumberOfFrames") or 1)
    samples = first_integer(dataset, "SamplesPerPixel")
    photometric = _photometric(dataset, samples)
    dataset.PhotometricInterpretation = photometric
    dataset.SamplesPerPixel = samples if samples is not None else 3 if photometric in COLOURS else 1
    _settle_bits(dataset)
    dataset.PixelRepresentation = 1 if first_integer(dataset, "PixelRepresentation") == 1 else 0
    if dataset.SamplesPerPixel > 1:
        dataset.PlanarConfiguration = 1 if first_integer(dataset, "PlanarConfiguration") == 1 else 0


def frames_of(dataset: Dataset) -> int:
    """Of a dataset whose attributes are settled."""
    return int(dataset.get("NumberOfFrames", 1))


def _is_settled(dataset: Dataset) -> bool:
    """Most radiographs are, and to look takes a tenth of the time."""
    try:
        return (
            dataset.get("PhotometricInterpretation") in GREY
            and all(type(dataset.get(keyword)) is int for keyword in _NUMBERS)
            and dataset.PixelRepresentation in (0, 1)
            and "NumberOfFrames" not in dataset
        )
    except (TypeError, ValueError):
        return False


def _needed(dataset: Dataset, keyword: str) -> int:
    number = first_integer(dataset, keyword)
    if number is None:
        raise InvalidInput(f"{keyword} is missing, empty or no number.")
    return number


def _photometric(dataset: Dataset, samples: int | None) -> str:
    """In capitals, as the standard writes it. Of grey pixels nothing but PresentationLUTShape could tell which end is
    bright: a guess would turn every second picture over.
    """
    said = dataset.get("PhotometricInterpretation") or ""
    name = str(said if isinstance(said, str) else next(iter(said))).strip().upper()
    if name:
        return name
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    if samples == 3:
        return "YBR_FULL" if dataset.file_meta.TransferSyntaxUID in _AS_LUMA else "RGB"
    if shape in ("IDENTITY", "INVERSE"):
        return "MONOCHROME2" if shape == "IDENTITY" else "MONOCHROME1"
    raise InvalidInput("PhotometricInterpretation is missing: whether low values are dark or bright is not known.")


def _settle_bits(dataset: Dataset) -> None:
    high = first_integer(dataset, "HighBit")
    stored = first_integer(dataset, "BitsStored")
    allocated = first_integer(dataset, "BitsAllocated")
    if allocated is None:
        allocated = _bits_of_a_cell(dataset)
    if stored is None:
        stored = high + 1 if high is not None and 0 <= high < allocated else allocated
    dataset.BitsAllocated, dataset.BitsStored = allocated, stored
    dataset.HighBit = high if high is not None else max(0, stored - 1)


def _bits_of_a_cell(dataset: Dataset) -> int:
    """From the length of the pixels, where they are not compressed."""
    cells = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * frames_of(dataset)
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated and cells:
        for size in (1, 2):
            if cells * size <= len(dataset.PixelData) <= cells * size + 1:
                return 8 * size
    stored = first_integer(dataset, "BitsStored")
    if stored is None or not 1 <= stored <= 16:
        raise InvalidInput("BitsAllocated is missing, empty or no number.")
    return 8 if stored <= 8 else 16
