"""A file of JSON lines that one process writes: what a line says has happened, and is on disk."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class PartialUnusable(ValueError):
    """A table that is being written cannot be gone on with; the message says why, and what to do."""


class Entry(NamedTuple):
    content: dict[str, Any]
    end: int  # of its line, in bytes from the file's beginning


class Journal:
    """Raises PartialUnusable where another process is writing it, or OSError."""

    def __init__(self, file: Path) -> None:
        self._stream = file.open("a+b")
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.close()
            raise PartialUnusable(f"Another run is writing {file}.") from None

    def close(self) -> None:
        self._stream.close()

    def entries(self) -> list[Entry]:
        """Up to a line that was not written whole."""
        entries: list[Entry] = []
        self._stream.seek(0)
        for line in self._stream.readlines():
            try:
                content = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                break
            if not isinstance(content, dict):
                break
            entries.append(Entry(content, (entries[-1].end if entries else 0) + len(line)))
        return entries

    def cut(self, end: int) -> None:
        self._stream.truncate(end)

    def note(self, content: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(content).encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
