"""What the classifier keeps of a text (Reading), and what it made of it (Verdict)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.text_classifier.reading.scorer import Floats, Score
from services.text_classifier.reading.sections import Part
from services.text_classifier.reading.tokens import Tokens
from services.text_classifier.reading.windows import Window

EVIDENCE_COSTS = 16
MOST_EVIDENCE_COSTS = 4000
"""What the search for evidence may cost: so many times the text's tokens, and at most so many tokens; a request with
many texts may leave less for each."""


@dataclass(frozen=True)
class Reading:
    """`ranks` tells for each window whose statements go first: the impression's rank is higher than the findings'.
    `together`: the windows of several sections as the model can read them as one. `sections` of a text that has
    headings, read or not. `language`: that of the text or of a passage in it, if it is not English.
    """

    text: str
    tokens: Tokens
    windows: tuple[Window, ...]
    ranks: tuple[int, ...]
    together: tuple[tuple[Window, ...], ...] = ()
    sections: tuple[Part, ...] = ()
    evidence: bool = False
    most_search: int = MOST_EVIDENCE_COSTS
    language: str | None = None

    @property
    def size(self) -> int:
        """The work it makes, in tokens as the model is given them; without the search for evidence."""
        alone = sum(2 + window.end - window.start for window in self.windows)
        return alone + sum(2 + sum(w.end - w.start for w in windows) for windows in self.together)

    @property
    def search(self) -> int:
        """The work that the search for its evidence may make, in tokens."""
        return min(EVIDENCE_COSTS * self.size, self.most_search) if self.evidence else 0


@dataclass(frozen=True)
class Verdict:
    """`posterior` (14, 4) and `states` (14,) of a whole text; `speaker` (14,) is the window that decided each label."""

    posterior: Floats
    states: NDArray[np.int64]
    speaker: NDArray[np.int64]
    scores: tuple[Score, ...]
