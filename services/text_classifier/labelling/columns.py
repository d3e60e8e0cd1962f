"""The columns of a table of labels: what the reports' table had beside the text, then what the model says."""

import csv
from collections.abc import Sequence
from io import StringIO

from shared.labels import CHEXPERT_CODES, LABELS, State
from shared.schemas.text import Classification
from shared.tables import TableUnusable

MODEL = "text_model"
WARNINGS = "text_warnings"
ADDED = (*LABELS, *(f"prob_{label}" for label in LABELS), MODEL, WARNINGS)

_CODES = {state: "" if code is None else str(code) for state, code in CHEXPERT_CODES.items()}


class LabelColumns:
    """`replaced`: the source's columns that are named as one that is added, and so left out.

    Raises TableUnusable where the text is to be kept in a column of such a name.
    """

    def __init__(self, source: Sequence[str], text_column: str, weights_sha256: str, *, keep_text: bool) -> None:
        if keep_text and text_column in ADDED:
            raise TableUnusable(f"The text cannot be kept: {text_column!r} is a column of the labels' table.")
        dropped = {*ADDED} if keep_text else {*ADDED, text_column}
        self._kept = [position for position, name in enumerate(source) if name not in dropped]
        self._weights_sha256 = weights_sha256
        self._width = len(source)
        self.text = source.index(text_column)
        self.replaced = [name for name in source if name in ADDED and name != text_column]
        self.header = [*(source[position] for position in self._kept), *ADDED]

    def why_not(self, cells: Sequence[str]) -> str | None:
        """Why a row's cells cannot be told apart; None where they can."""
        return None if len(cells) == self._width else f"{len(cells)} cells, but the header has {self._width}."

    def row(self, cells: Sequence[str], classification: Classification) -> list[str]:
        results = [classification.labels[label] for label in LABELS]
        return [
            *(cells[position] for position in self._kept),
            *(_CODES[State(result.state)] for result in results),
            *(f"{result.probability:.6f}" for result in results),
            self._weights_sha256,
            " ".join(warning.code for warning in classification.warnings),
        ]


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    stream = StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()
