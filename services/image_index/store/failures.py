"""What goes wrong below a store, as an answer; the log has a line for it under the id of every request it befell."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from services.image_index.store.base import PART
from shared.errors import ServiceError, Unavailable

log = structlog.get_logger("store")

_RETRY_AFTER_S = 30


def unavailable(why: str, *, code: str = "REFUSED") -> Unavailable:
    """`code`: SQLite's name for it, or that nothing was tried."""
    log.warning("store_failed", code=code)
    return Unavailable(f"{why} What was acknowledged is kept.", part=PART, retry_after_s=_RETRY_AFTER_S)


@contextmanager
def disk_errors() -> Iterator[None]:
    """What SQLite says of the disk becomes an answer."""
    try:
        yield
    except sqlite3.OperationalError as error:
        why = "The index cannot be read or written: its disk is full or fails."
        raise unavailable(why, code=error.sqlite_errorname) from error
    except sqlite3.DatabaseError as error:
        log.warning("store_damaged", code=getattr(error, "sqlite_errorname", type(error).__name__))
        raise ServiceError("The index file is damaged. What was read before is not affected.", part=PART) from error
