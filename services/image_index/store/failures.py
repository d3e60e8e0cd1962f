"""What goes wrong below a store, as an answer; the log has a line for it under the id of every request it befell."""

import structlog

from services.image_index.store.base import PART
from shared.errors import Unavailable

log = structlog.get_logger("store")

_RETRY_AFTER_S = 30


def unavailable(why: str, *, code: str = "REFUSED") -> Unavailable:
    """`code`: the engine's name for it, or that nothing was tried."""
    log.warning("store_failed", code=code)
    return Unavailable(f"{why} What was acknowledged is kept.", part=PART, retry_after_s=_RETRY_AFTER_S)
