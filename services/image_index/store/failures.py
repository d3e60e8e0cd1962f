"""What goes wrong below a store, as an answer; the log has a line for it under the id of every request it befell."""

import structlog

from shared.errors import Unavailable

log = structlog.get_logger("store")

PART = "index-store"

_RETRY_AFTER_S = 30


class StoreUnusable(Exception):
    """The store cannot be opened; the message says why and what to do. Nothing was changed."""


def unavailable(why: str, *, code: str = "REFUSED") -> Unavailable:
    """`code`: the engine's name for it, or that nothing was tried."""
    log.warning("store_failed", code=code)
    return Unavailable(f"{why} What was acknowledged is kept.", part=PART, retry_after_s=_RETRY_AFTER_S)
