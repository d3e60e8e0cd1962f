"""Images with a report, side by side: what is learned from to tell how far an encoder is to be believed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ReportedImages:
    """`patients` (N,): whose image it is; where that is not known its study, or else itself. (N, 14) each:
    `probabilities` by the encoder; `stated`, 1 where the report states the label, NaN where it is uncertain, else 0;
    `evidence` of the report.
    """

    patients: NDArray[np.str_]
    probabilities: NDArray[np.float32]
    stated: NDArray[np.float32]
    evidence: NDArray[np.float16]
    text_models: Mapping[str, int]  # how many of them each text model read, by the SHA-256 of its weights
