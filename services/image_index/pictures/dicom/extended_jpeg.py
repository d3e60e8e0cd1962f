"""12-bit JPEG (the extended sequential process), by GDCM itself: pydicom does not let GDCM decode it."""

from typing import Any

import gdcm
import numpy as np
from numpy.typing import NDArray

BITS = 12


def decode_extended(code: bytes, rows: int, columns: int) -> NDArray[Any]:
    """(rows, columns) samples of one grey frame. Raises ValueError where GDCM cannot decode it to its end."""
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(code)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    pixel_data = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    pixel_data.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(pixel_data)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, BITS, BITS - 1, 0))
    samples = image.GetBuffer().encode("utf-8", "surrogateescape")  # GDCM gives bytes as a str
    return np.frombuffer(samples, dtype="<u2").reshape(rows, columns)
