"""Pictures whose pixels are not square, stretched until they are: a chest must not be wider or taller than it was."""

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.numbers import numbers_of
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.radiograph import Grey

# Each is (vertical, horizontal): distances between rows and between columns, or their ratio.
_KEYWORDS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
_TOLERANCE = 0.01  # below this nobody can see it, and rounded distances differ by as much
_MOST = 4  # what claims more is a mistake


def with_square_pixels(grey: Grey, dataset: Dataset, limits: Limits) -> Grey:
    """The shorter side is enlarged. Raises PayloadTooLarge where the result is beyond the limits."""
    ratio = _height_by_width(dataset)
    if abs(ratio - 1) <= _TOLERANCE or not 1 / _MOST <= ratio <= _MOST:
        return grey
    rows, columns = grey.shape
    rows, columns = round(rows * max(1, ratio)), round(columns * max(1, 1 / ratio))
    limits.check_size(rows, columns)
    return np.asarray(Image.fromarray(grey).resize((columns, rows), Image.Resampling.BILINEAR))


def _height_by_width(dataset: Dataset) -> float:
    """Of one pixel; 1 where nothing usable is said."""
    for keyword in _KEYWORDS:
        match numbers_of(dataset, keyword):
            case [height, width] if height > 0 and width > 0:
                return height / width
    return 1.0
