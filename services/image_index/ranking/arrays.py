"""The arrays of the ranking's arithmetic, by the names they go by."""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Scores = NDArray[np.float32]  # (N,), where images are scanned
