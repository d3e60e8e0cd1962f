"""The one way from a radiograph to a network's square input: training and serving both come through here."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def to_square(grey: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The whole picture as (side, side), antialiased; sides of different length are squeezed, nothing is cut off.

    Squeezed, because findings sit at the edges (costophrenic angles, apices), and because the public
    training radiographs came squeezed to a square already.
    """
    if grey.shape == (side, side):
        return grey
    picture = Image.fromarray(np.ascontiguousarray(grey))
    # Pillow's bilinear filter widens its support when it shrinks a picture; reducing_gap box-averages big ones first.
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0))
