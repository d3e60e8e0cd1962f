"""Whether a key is the one it says it is. Argon2 is asked once for each key; from then on a fast hash in memory.

Whoever guesses waits in a short line: an unknown id costs what a wrong secret costs, and neither takes the processor.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gateway.guard.keys.key import Key, Written, parse_key
from gateway.guard.keys.ring import Ring
from gateway.guard.lane import Lane
from shared.errors import Unauthenticated

PAUSE_AFTER_WRONG_S = 0.1
_WAITING = 8
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's least for argon2id
WRONG = "This is no key of this gateway."


def hash_of(secret: str) -> str:
    return _HASHER.hash(secret)


class KeyCheck:
    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._process_key = secrets.token_bytes(32)
        self._verified: dict[str, bytes] = {}  # by id: the fast hash of the whole key and of argon2's
        self._at_work: dict[bytes, asyncio.Task[bool]] = {}
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="argon2")
        # By id, and one for all ids that are made up: who guesses at one key holds up no other.
        self._lanes: defaultdict[str | None, Lane] = defaultdict(lambda: Lane(1, _WAITING))

    async def key_of(self, text: str) -> Key:
        """Raises Unauthenticated, or Overloaded where too many others are being checked."""
        written = parse_key(text)
        if written is None:
            raise Unauthenticated(WRONG)
        now = time.time()
        key = self._ring.get(written.id)
        seen = f"{text} {None if key is None else key.hash}"
        fast = hashlib.blake2b(seen.encode(), key=self._process_key, digest_size=32).digest()
        if not hmac.compare_digest(self._verified.get(written.id, b""), fast) and not await self._once(
            key, written, fast
        ):
            raise Unauthenticated(WRONG)
        assert key is not None  # noqa: S101 - what is not there is not verified
        self._verified[key.id] = fast
        ended = key.ended(now)
        if ended is not None:
            raise Unauthenticated(f"The key {key.id} {ended}.")
        self._ring.used(key, now)
        return key

    def close(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def _once(self, key: Key | None, written: Written, fast: bytes) -> bool:
        """Many that come with one key at the same time share one look at it."""
        task = self._at_work.get(fast)
        if task is None:
            task = self._at_work[fast] = asyncio.create_task(self._verify(key, written.secret))
            task.add_done_callback(lambda done: self._done(fast, done))
        return await asyncio.shield(task)

    def _done(self, fast: bytes, task: asyncio.Task[bool]) -> None:
        del self._at_work[fast]
        if not task.cancelled():
            task.exception()  # those who wait have it, if they are still there

    async def _verify(self, key: Key | None, secret: str) -> bool:
        async with self._lanes[None if key is None else key.id].place():
            loop = asyncio.get_running_loop()
            matches = await loop.run_in_executor(self._workers, _matches, None if key is None else key.hash, secret)
            if not matches:
                await asyncio.sleep(PAUSE_AFTER_WRONG_S)
            return matches


def _matches(expected: str | None, secret: str) -> bool:
    try:
        _HASHER.verify(_hash_of_nothing() if expected is None else expected, secret)
    except (Argon2Error, InvalidHashError):
        return False
    return expected is not None


@cache
def _hash_of_nothing() -> str:
    return hash_of(secrets.token_urlsafe(32))
