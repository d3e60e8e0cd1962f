"""What the classifier keeps of a text (Reading), and what it made of it (Verdict)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.text_classifier.scorer import Floats, Score
from services.text_classifier.tokens import Tokens
from services.text_classifier.windows import Window


@dataclass(frozen=True)
class Reading:
    text: str
    tokens: Tokens
    windows: tuple[Window, ...]
    evidence: bool = False

    @property
    def size(self) -> int:
        """The work it makes, in tokens."""
        return len(self.tokens.ids)


@dataclass(frozen=True)
class Verdict:
    """`posterior` (14, 4) and `states` (14,) of a whole text; `speaker` (14,) is the window that decided each label."""

    posterior: Floats
    states: NDArray[np.int64]
    speaker: NDArray[np.int64]
    scores: tuple[Score, ...]
