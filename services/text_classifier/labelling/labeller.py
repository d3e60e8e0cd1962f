"""From the rows of a block to what the model says of them, or why it says nothing."""

from collections.abc import Sequence

from services.text_classifier.labelling.blocks import Block
from services.text_classifier.labelling.columns import LabelColumns, as_csv
from services.text_classifier.labelling.source import SourceRow
from services.text_classifier.labelling.tally import Failure, Tally
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.reading import Reading
from shared.errors import InferenceFailed, InvalidInput
from shared.schemas.text import MAX_IMPRESSION_CHARS, Classification

BLOCK = 256
"""Rows, at least. Padding and runs add 13 % to the tokens of Open-i's impressions; with 128 rows it is 16, with 512 it
would be 11, and a run that was stopped would have the more to do again.
"""

USUAL_TOKENS = 32
"""Of a report: a block is to fill a run of the model, which on a GPU takes many."""

NO_WORDS = "No text, or none with a letter or digit in it."
NOTHING_TO_READ = "No section of it says what is seen."
TOO_LONG = f"Longer than {MAX_IMPRESSION_CHARS:,} characters, the most that are read as one report."


class Labeller:
    """`most_tokens`: the most that are read as one report."""

    def __init__(self, model: TextClassifier, columns: LabelColumns, *, most_tokens: int) -> None:
        self._model = model
        self._columns = columns
        self._most_tokens = most_tokens
        self.block = max(BLOCK, model.tokens_per_run // USUAL_TOKENS)
        self.workers = model.workers

    def check(self, rows: Sequence[SourceRow]) -> Block:
        """What `label` will make of the rows, as far as can be told without the model's run."""
        readings, failures = self._read(rows)
        foreign = sum(reading.language is not None for _row, reading in readings)
        return Block(tally=Tally(len(readings), foreign, failures))

    def label(self, rows: Sequence[SourceRow]) -> Block:
        """Raises InferenceFailed where the model fails on whatever it is given."""
        readings, failures = self._read(rows)
        tally, lines = Tally(failures=failures), []
        results = self._classify([reading for _row, reading in readings])
        for (row, reading), result in zip(readings, results, strict=True):
            if isinstance(result, Classification):
                tally.labelled += 1
                tally.not_english += reading.language is not None
                lines.append(self._columns.row(row.cells, result))
            else:
                failures.append(Failure(row.line, result))
        failures.sort(key=lambda failure: failure.line)
        return Block(as_csv(lines), tally)

    def _read(self, rows: Sequence[SourceRow]) -> tuple[list[tuple[SourceRow, Reading]], list[Failure]]:
        readings, failures = [], []
        for row in rows:
            reading = self._reading(row.cells)
            if isinstance(reading, Reading):
                readings.append((row, reading))
            else:
                failures.append(Failure(row.line, reading))
        return readings, failures

    def _reading(self, cells: Sequence[str]) -> Reading | str:
        """Or why there is none. A text is read, and refused, as one that is sent to the service; "-" is none."""
        reason = self._columns.why_not(cells)
        if reason:
            return reason
        text = cells[self._columns.text].strip()
        try:
            _check_characters(text)
            reading = self._model.read(text)
        except InvalidInput as error:
            return error.detail
        if reading.size > self._most_tokens:
            return f"More than {self._most_tokens:,} tokens, the most that are read as one report."
        return reading if reading.windows else NOTHING_TO_READ

    def _classify(self, readings: Sequence[Reading]) -> list[Classification | str]:
        """For each its result, or why the model has none. Only a text that it fails on alone is at fault."""
        try:
            return [*self._model.classify(readings, crowded=True)]
        except Exception as error:
            reason = f"The model failed on this text ({type(error).__name__})."
            if len(readings) == 1:
                return [reason]
            alone = [result for reading in readings for result in self._classify([reading])]
            if all(isinstance(result, str) for result in alone):
                raise InferenceFailed(
                    f"The model fails on every text ({type(error).__name__}). What was labelled stays."
                ) from error
            return alone


def _check_characters(text: str) -> None:
    """Raises InvalidInput for what need not be read to know that it is too little or too much."""
    if not any(map(str.isalnum, text)):
        raise InvalidInput(NO_WORDS)
    if len(text) > MAX_IMPRESSION_CHARS:
        raise InvalidInput(TOO_LONG)
