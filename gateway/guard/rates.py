"""How many requests a key may send, where that was said when it was made."""

import math
import time
from functools import lru_cache

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from gateway.guard.keys.key import Key
from shared.errors import RateLimited


class Rates:
    """Counted in this process, anew at each start."""

    def __init__(self) -> None:
        self._limiter: MovingWindowRateLimiter | None = None  # its storage runs a thread, which few need

    def check(self, key: Key) -> None:
        """Counts one request. Raises RateLimited."""
        if key.rate is None:
            return
        if self._limiter is None:
            self._limiter = MovingWindowRateLimiter(MemoryStorage())
        rate = read_rate(key.rate)
        if not self._limiter.hit(rate, key.id):
            free_at = self._limiter.get_window_stats(rate, key.id).reset_time
            raise RateLimited(
                f"This key may send {key.rate.replace('/', ' requests a ')}; send this again later.",
                retry_after_s=max(1, math.ceil(free_at - time.time())),
            )


@lru_cache(1024)
def read_rate(written: str) -> RateLimitItem:
    """`60/minute`. Raises ValueError."""
    return parse(written)
