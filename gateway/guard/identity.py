"""The first thing that is asked of a request: who sends it, and whether that caller may. Its body is not read yet."""

import asyncio
import time

import structlog
from prometheus_client import CollectorRegistry, Counter
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.guard.admission import HOLD_BACK_S
from gateway.guard.caller import ANYONE, caller_of, set_caller
from gateway.guard.door import Door
from gateway.guard.local_only import ForeignPage
from gateway.guard.rights import Need, Rights, set_called
from shared.errors import BadRequest, Forbidden, Overloaded, ServiceError, Unauthenticated
from shared.web.problems import error_response

log = structlog.get_logger("identity")

MOST_STRANGERS_A_SECOND = 30
"""Beyond it they are told to come later, which is not written down: else whoever has no key could fill the disk."""

REALM = 'Bearer realm="chexretriever"'
_LATER = Overloaded("Too many requests came without a key or token that holds; send this again later.")


class Identity:
    def __init__(self, app: ASGIApp, door: Door, registry: CollectorRegistry) -> None:
        self.app = app
        self._door = door
        self._rights: Rights | None = None  # of the app's routes, which come later
        self._told_at = 0.0
        self._second, self._strangers = 0, 0  # how many were refused in this second whom nobody knows
        self._refused = Counter("chex_callers_refused", "Requests refused at the door.", ["status"], registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._rights is None:
            self._rights = Rights(scope["app"].routes)
        called = self._rights.called(scope)
        need = called.need
        set_called(scope, called)
        set_caller(scope, ANYONE)  # until it is known
        try:
            caller = await self._door.caller_of(scope, need)
            set_caller(scope, caller)
            self._door.check(caller, need)
        except ServiceError as refusal:
            of_a_stranger = caller_of(scope) is ANYONE and refusal.status != Overloaded.status
            late = _LATER if of_a_stranger and self._too_many_strangers() else refusal
            await self._refuse(late, need, scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _too_many_strangers(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._strangers = second, 0
        self._strangers += 1
        return self._strangers > MOST_STRANGERS_A_SECOND

    async def _refuse(self, refusal: ServiceError, need: Need, scope: Scope, receive: Receive, send: Send) -> None:
        self._refused.labels(str(refusal.status)).inc()
        self._tell(refusal)
        if isinstance(refusal, Overloaded):
            await asyncio.sleep(HOLD_BACK_S)  # as Admission does: for whoever ignores Retry-After
        response = error_response(refusal)
        challenge = _challenge(refusal, need)
        if challenge is not None:
            response.headers["WWW-Authenticate"] = challenge
        await response(scope, receive, send)

    def _tell(self, refusal: ServiceError) -> None:
        """One line a second at most; of the request nothing but its id, for anything may be in it."""
        if time.monotonic() - self._told_at > 1:
            self._told_at = time.monotonic()
            log.warning("caller_refused", status=refusal.status, type=refusal.type)


def _challenge(refusal: ServiceError, need: Need) -> str | None:
    """`WWW-Authenticate` by RFC 6750, section 3: without an error where nothing was shown."""
    if isinstance(refusal, Forbidden) and not isinstance(refusal, ForeignPage):
        return f'{REALM}, error="insufficient_scope", scope="{need}"'
    if isinstance(refusal, BadRequest):
        return f'{REALM}, error="invalid_request"'
    if isinstance(refusal, Unauthenticated):
        return REALM if refusal.nothing_shown else f'{REALM}, error="invalid_token"'
    return None
