"""One process owns an index, and lets go of what it had opened where it cannot be."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from services.image_index.store.failures import StoreUnusable


def own(lock_file: Path, folder: Path) -> FileLock:
    """Raises StoreUnusable where another process does."""
    lock = FileLock(lock_file, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreUnusable(
            f"The index in {folder} is open in another process, and only one may own it. Stop that process (a running "
            "service, or an ingest), or set another CHEX_DATA_DIR."
        ) from None
    return lock


@contextmanager
def closed_on_error(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
