"""The database's file on the disk. SQLite takes one that was emptied or is gone for a new one; an index must not."""

from os.path import samestat
from pathlib import Path

from services.image_index.store.embedded import schema
from services.image_index.store.failures import StoreUnusable

FILE_NAME = "index.sqlite3"
WHAT_TO_DO = "Nothing was changed. Put a copy in its place, or move it away and ingest again."


def make_unless_there(file: Path) -> None:
    """Raises StoreUnusable where an index was, and what is left of it is none."""
    wal = file.with_name(f"{file.name}-wal")
    log_is_there = wal.exists() and wal.stat().st_size > 0
    if file.exists():
        size = file.stat().st_size
        if size == 0:
            raise StoreUnusable(f"The index {file} was emptied: it has 0 bytes. {WHAT_TO_DO}")
        if not log_is_there and size % _page_size(file):  # what the log holds may mend it
            raise StoreUnusable(f"The index {file} is damaged: it was cut short. {WHAT_TO_DO}")
    elif log_is_there:
        raise StoreUnusable(f"The index {file} is gone, but its log {wal} is there. {WHAT_TO_DO}")
    else:
        schema.create(file)


def _page_size(file: Path) -> int:
    """In bytes, of which the file's length is a multiple; 1 where it has no header that says it."""
    with file.open("rb") as stream:
        header = stream.read(18)
    return int.from_bytes(header[16:18], "big") or 1


class OpenedFile:
    """The file as it was when it was opened: whoever has it open would not notice that it was taken away since."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._opened = file.stat()

    def is_what_was_opened(self) -> bool:
        try:
            now = self._file.stat()
        except FileNotFoundError:
            return False
        return samestat(now, self._opened) and now.st_size >= self._opened.st_size  # it only ever grows
