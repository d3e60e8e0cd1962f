"""Windows of a DICOM header (PS3.3 C.11.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.lookup_tables import Values
from services.image_index.pictures.dicom.numbers import parts_of

_MOST = 16  # of a list: each may be tried on the picture


@dataclass(frozen=True)
class Window:
    center: float
    width: float
    function: str
    step: float  # between two values: 1, or less where a rescale slope makes it so

    def __call__(self, values: Values) -> Values:
        """In [0, 1] (PS3.3 C.11.2.1.2 and C.11.2.1.3).

        The standard's LINEAR takes half a step from the center and a step from the width, and means whole numbers. Of
        values between 0 and 1, that would leave nothing of a window as wide.
        """
        if self.function == "SIGMOID":
            # Beyond ±30 the curve is flat to the last bit of what is shown; clipping keeps exp from overflowing.
            return np.asarray(1 / (1 + np.exp(np.clip(-4 * (values - self.center) / self.width, -30, 30))))
        if self.function == "LINEAR_EXACT":
            return np.asarray(np.clip((values - self.center) / self.width + 0.5, 0, 1))
        width = max(self.width - self.step, 1e-6 * self.step)
        return np.asarray(np.clip((values - (self.center - self.step / 2)) / width + 0.5, 0, 1))


def windows_of(dataset: Dataset, step: float) -> Iterator[Window]:
    """Those of the list that are windows: bad ones stand beside good ones."""
    function = str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()
    pairs = zip(parts_of(dataset, "WindowCenter"), parts_of(dataset, "WindowWidth"), strict=False)
    for center, width in islice(pairs, _MOST):
        if center is not None and width is not None and width > 0:
            yield Window(center, width, function, step)
