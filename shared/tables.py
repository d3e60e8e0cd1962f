"""A CSV of the user's, opened so that what is wrong with the file is said with its name and place."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol, TextIO

_TOLD_EVERY = 1024  # lines


class TableUnusable(ValueError):
    """The table as a whole cannot be read; the message says why."""


class Cells(Protocol):
    """What `csv.reader` gives: the cells of one line after the other."""

    line_num: int  # of the line that was read last, as an editor counts

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


@contextmanager
def open_table(
    file: Path, *, longest_cell: int = 131_072, on_bytes: Callable[[int], None] | None = None
) -> Iterator[Cells]:
    """`on_bytes` is told now and then, and at the end, how far into the file the reading has come.

    Raises TableUnusable, also while the lines are read, where the file is no CSV in UTF-8.
    """
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream if on_bytes is None else _told(stream, on_bytes))
        usual = csv.field_size_limit(longest_cell)  # one for the whole process
        try:
            yield reader
        except UnicodeDecodeError as error:
            raise TableUnusable(where_not_utf8(file)) from error
        except csv.Error as error:
            raise TableUnusable(f"{file}, line {reader.line_num}: {error}.") from error
        finally:
            csv.field_size_limit(usual)


def _told(stream: TextIO, on_bytes: Callable[[int], None]) -> Iterator[str]:
    for number, line in enumerate(stream):
        if number % _TOLD_EVERY == 0:  # to ask at each line would take twice the time
            on_bytes(stream.buffer.tell())
        yield line
    on_bytes(stream.buffer.tell())


class Table(NamedTuple):
    columns: list[str]
    rows: list[dict[str, str]]  # a cell that a line lacks is empty


def read_whole(file: Path, *needed: str) -> Table:
    """Raises TableUnusable, where a needed column is missing too, or OSError."""
    with open_table(file) as lines:
        columns = next(lines, [])
        missing = [name for name in needed if name not in columns]
        if missing:
            raise TableUnusable(f"{file} lacks the columns {', '.join(missing)}.")
        return Table(columns, [named(columns, cells) for cells in lines if cells])


def repeated(columns: Sequence[str]) -> list[str]:
    """The names that stand for more than one column; columns without a name are none."""
    return sorted(name for name, count in Counter(columns).items() if name and count > 1)


def named(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """One line's cells by their columns; what goes beyond the header is left out."""
    return dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False))


def where_not_utf8(file: Path) -> str:
    """One sentence for a file that could not be decoded: the place, as an editor counts."""
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte = error.start + 1
                return (
                    f"{file}, line {number}, byte {byte} of it (0x{line[error.start]:02X}): not UTF-8, which is needed."
                )
    return f"{file} is not in UTF-8, which is needed."
