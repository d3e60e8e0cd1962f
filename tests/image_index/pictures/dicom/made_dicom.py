"""Radiographs made for tests: one smooth picture, and DICOM files that hold it in different ways."""

import io
from pathlib import Path

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid


def made_picture(rows: int = 96, columns: int = 80) -> NDArray[np.float64]:
    """(rows, columns) in [0, 1]: a bright trunk, two dark lungs, a bright disc in one of them, a black rim."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    picture = 0.85 - 0.3 * x**2
    for side in (-1, 1):
        picture -= 0.5 * np.exp(-(((x - 0.42 * side) / 0.25) ** 4) - (y / 0.6) ** 4)
    picture += 0.4 * np.exp(-((x - 0.4) ** 2 + (y - 0.2) ** 2) / 0.02)
    picture[np.abs(x) > 0.96] = 0
    return np.clip(picture, 0, 1)


def made_dicom(
    stored: NDArray[np.integer] | None = None, *, bits: int = 12, photometric: str = "MONOCHROME2", **elements: object
) -> Dataset:
    """A computed radiograph. `stored` is (rows, columns) or (frames, rows, columns); `elements` are set by keyword."""
    if stored is None:
        stored = np.rint(made_picture() * (2**bits - 1)).astype(np.uint16)
    signed = stored.dtype.kind == "i"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["instance", str(elements)])
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.2"
    dataset.Modality = "CR"
    dataset.PatientID = "MRN-0042"
    dataset.PatientName = "Doe^Jane"
    dataset.PatientSex = "F"
    dataset.PatientAge = "063Y"
    dataset.ViewPosition = "PA"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    if stored.ndim == 3:
        dataset.NumberOfFrames = len(stored)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = photometric
    dataset.PixelRepresentation = int(signed)
    dataset.BitsAllocated = 8 * stored.dtype.itemsize
    dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.WindowCenter = 2 ** (bits - 1)
    dataset.WindowWidth = 2**bits
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def to_bytes(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def encapsulated(dataset: Dataset, code: bytes | list[bytes], syntax: str, *, fragments: int = 1) -> bytes:
    """The file with its pixels replaced by codestreams, one for each frame."""
    frames = [code] if isinstance(code, bytes) else code
    dataset.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=fragments == 1)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    return to_bytes(dataset)


def recoded(dataset: Dataset, syntax: gdcm.TransferSyntax, folder: Path) -> bytes:
    """The file in another transfer syntax, by GDCM's encoders."""
    source, target = folder / "source.dcm", folder / "target.dcm"
    source.write_bytes(to_bytes(dataset))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return target.read_bytes()
