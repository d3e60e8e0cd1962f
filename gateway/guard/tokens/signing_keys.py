"""The public keys of an identity provider, kept: fetched anew for a key id that is not known, and now and then.

While the provider cannot be reached, the keys that were had last go on to hold.
"""

import asyncio
import time
from typing import Any, NamedTuple

import structlog
from jwt import PyJWK, PyJWKError

from gateway.guard.tokens.provider import Provider, ProviderFailed
from shared.errors import Unavailable

log = structlog.get_logger("tokens")

REFRESH_S = 600.0
NOT_SOONER_S = 10.0  # than so long after the last time, whatever key ids are made up
NOT_SOONER_WITHOUT_KEYS_S = 1.0
_PUBLIC = frozenset({"RSA", "EC", "OKP"})  # never `oct`: whoever can verify with one can sign with it
_WAIT_S = 6.0


class SigningKey(NamedTuple):
    key: Any  # of the library `cryptography`
    algorithm: str | None  # where the provider says which


class SigningKeys:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._keys: dict[str | None, SigningKey] = {}
        self._asked_at = -REFRESH_S
        self._asking: asyncio.Task[None] | None = None
        self.changes = 0  # how often the keys have become others

    async def get(self, key_id: str | None) -> SigningKey | None:
        """None for a key that the provider does not have. Raises Unavailable where none could be had of it so far."""
        found = self._find(key_id)
        if found is None:
            await self._ask_again()
            found = self._find(key_id)
        if found is None and not self._keys:
            raise Unavailable("The identity provider's keys cannot be had.", part="identity-provider", retry_after_s=2)
        return found

    def look_again(self) -> None:
        """Now and then, in the background: that a key was withdrawn must not wait for a token that is new here."""
        if time.monotonic() > self._asked_at + REFRESH_S:
            self.ask()

    def ask(self) -> asyncio.Task[None]:
        """Fetches the keys, in the background unless it is awaited."""
        if self._asking is None or self._asking.done():
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._fetch())
        return self._asking

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        await self._provider.close()

    def _find(self, key_id: str | None) -> SigningKey | None:
        """A token that names no key is taken by a provider's only one (RFC 7515, 4.1.4 leaves the name out there)."""
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return None if key_id is None else self._keys.get(key_id)

    async def _ask_again(self) -> None:
        wait_s = NOT_SOONER_S if self._keys else NOT_SOONER_WITHOUT_KEYS_S
        at_work = self._asking is not None and not self._asking.done()
        if at_work or time.monotonic() >= self._asked_at + wait_s:
            await asyncio.wait({self.ask()}, timeout=_WAIT_S)

    async def _fetch(self) -> None:
        try:
            keys = _read(await self._provider.jwks())
        except ProviderFailed as error:
            log.warning("identity_provider_failed", reason=str(error), keys_kept=len(self._keys))
            return
        if keys != self._keys:  # by what they are: an id may stand for another key than before
            self.changes += 1
        self._keys = keys


def _read(document: dict[str, Any]) -> dict[str | None, SigningKey]:
    """Raises ProviderFailed where there is no key by which a signature could be checked."""
    found: dict[str | None, SigningKey] = {}
    listed = document.get("keys")
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") not in _PUBLIC or entry.get("use", "sig") != "sig":
            continue
        try:
            key = PyJWK.from_dict(entry)
        except (PyJWKError, ValueError, KeyError, TypeError):
            continue  # of a kind that is not known here; the others hold
        found[key.key_id] = SigningKey(key.key, entry.get("alg"))
    if not found:
        raise ProviderFailed("Its answer holds no key that can be used.")
    return found
