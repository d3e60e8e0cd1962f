"""What SQLite says of the disk, as an answer."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from services.image_index.store.failures import PART, log, unavailable
from shared.errors import ServiceError


@contextmanager
def disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        why = "The index cannot be read or written: its disk is full or fails."
        raise unavailable(why, code=error.sqlite_errorname) from error
    except sqlite3.DatabaseError as error:
        log.warning("store_damaged", code=getattr(error, "sqlite_errorname", type(error).__name__))
        raise ServiceError("The index file is damaged. What was read before is not affected.", part=PART) from error
