"""Who comes in by which key or token, as the settings and the file of the keys have it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.types import Scope

from gateway.guard.caller import ANYONE, LOCAL, Caller
from gateway.guard.credentials import credential_of
from gateway.guard.keys.check import KeyCheck
from gateway.guard.keys.key import PREFIX
from gateway.guard.keys.ring import Ring
from gateway.guard.local_only import HOSTS, check_local, refuse_to_be_open
from gateway.guard.rates import Rates
from gateway.guard.rights import Need
from gateway.guard.tokens.check import TokenCheck
from gateway.settings import GatewaySettings
from shared.errors import Forbidden, Unauthenticated

log = structlog.get_logger("door")

WRITE_USES_EVERY_S = 60.0
NOTHING_SHOWN = "Send a key or a token as `Authorization: Bearer …`, or a key as `X-API-Key: …`."


class Door:
    """Raises OpenToAll or KeysUnusable."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._ring = Ring(settings.gateway_dir)
        self._keys = KeyCheck(self._ring)
        self._tokens = None if settings.oidc_issuer is None else TokenCheck(settings, settings.oidc_issuer)
        self._rates = Rates()
        if self.asks and not self.locked:
            refuse_to_be_open(settings.host)

    @property
    def asks(self) -> bool:
        return self._settings.auth == "on"

    @property
    def locked(self) -> bool:
        """Whether a key or token is needed: from the moment that the first key is made."""
        return self._tokens is not None or bool(self._ring)

    async def caller_of(self, scope: Scope, need: Need) -> Caller:
        """Raises BadRequest, Unauthenticated, Forbidden, Misdirected, Overloaded, RateLimited or Unavailable."""
        if not self.asks:
            return LOCAL
        if not self.locked:
            check_local(scope, self._settings.cors_origins)
            return LOCAL
        if need == "open":
            return ANYONE
        credential = credential_of(scope["headers"])
        if credential is None:
            raise Unauthenticated(NOTHING_SHOWN, nothing_shown=True)
        return await self._caller_by(credential)

    async def _caller_by(self, credential: str) -> Caller:
        if self._tokens is not None and not credential.startswith(PREFIX):
            return await self._tokens.caller_of(credential)
        key = await self._keys.key_of(credential)
        self._rates.check(key)
        return key.caller

    @staticmethod
    def check(caller: Caller, need: Need) -> None:
        """Raises Forbidden."""
        if need not in {"open", "any"} | caller.rights:
            raise Forbidden(f"This call takes the right `{need}`, which the key or token does not give.")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Writes down, now and then, when keys were used last."""
        if not self.asks:
            log.warning("open_to_all", reason="CHEX_AUTH=off")
        elif not self.locked:
            log.warning("open_to_this_machine", reason="there is no key", answers_to=HOSTS)
        if self._tokens is not None:
            self._tokens.start()
        writing = asyncio.create_task(self._write_uses())
        try:
            yield
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            self._keys.close()
            await asyncio.to_thread(self._ring.close)
            if self._tokens is not None:
                await self._tokens.close()

    async def _write_uses(self) -> None:
        while True:
            await asyncio.sleep(WRITE_USES_EVERY_S)
            await asyncio.to_thread(self._ring.write_uses)
