"""The table of reports that is to be labelled, read row by row: millions need no more memory than a few."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.tables import TableUnusable, open_table, repeated

LONGEST_CELL = 16 * 1024 * 1024
"""Characters. A cell as long as that is a row that fails, and no reason to leave the others."""


@dataclass(frozen=True)
class SourceRow:
    line: int  # in which it begins, as an editor counts
    cells: Sequence[str]


class ReportTable:
    """Raises TableUnusable where the column is missing, or a name stands for several columns."""

    def __init__(self, file: Path, text_column: str) -> None:
        self._file = file
        with open_table(file) as lines:
            self.columns = next(lines, [])
        if text_column not in self.columns:
            raise TableUnusable(f"{file} has no column {text_column!r}; it has: {', '.join(self.columns) or 'none'}.")
        if twice := repeated(self.columns):
            raise TableUnusable(f"{file}, line 1: the columns {', '.join(twice)} are there more than once.")

    def sha256(self) -> str:
        with self._file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def count(self) -> int:
        """How many rows `rows` gives. Raises TableUnusable."""
        return sum(1 for _row in self.rows())

    def rows(self) -> Iterator[SourceRow]:
        """In order, without the empty ones. Raises TableUnusable where the file is no CSV in UTF-8."""
        with open_table(self._file, longest_cell=LONGEST_CELL) as lines:
            next(lines)
            line = lines.line_num + 1
            for cells in lines:
                if cells:
                    yield SourceRow(line, cells)
                line = lines.line_num + 1
