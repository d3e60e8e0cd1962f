"""No answer leaves before its line is on disk; what cannot be written down is not answered."""

import re

import structlog
from asgi_correlation_id import correlation_id
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.guard.audit.calls import call_of, is_audited
from gateway.guard.audit.event import Exchange, event_of
from gateway.guard.audit.failures import NotWritten
from gateway.guard.audit.notes import notes_of
from gateway.guard.audit.opening import Audit
from gateway.guard.caller import caller_of
from gateway.guard.rights import called_of
from shared.errors import Overloaded, Unavailable
from shared.web.problems import error_response

log = structlog.get_logger("audit")

PART = "audit"
_IDS = {
    "image_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}"),
    "study_uid": re.compile(r"[0-9.]{1,64}"),
    "patient_key": re.compile(r"[0-9a-f]{16}"),
}
"""What a path may name, by the names of its parameters. What is no such id could be anything, and is not written."""
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")


class Audited:
    """The outermost of what decides on requests: refusals are written down too.

    A 429 is not: nothing was done, and under a flood of them the disk would be the first to go.
    """

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self.app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_audited(scope):
            await self.app(scope, receive, send)
            return
        if not await self._audit.writer.usable():
            await self._refuse(scope, receive, send)
            return
        answered = refused = False

        async def held_back(message: Message) -> None:
            nonlocal answered, refused
            if message["type"] == "http.response.start":
                answered = True
                try:
                    await self._write(scope, message["status"])
                except NotWritten:
                    refused = True
                    await self._refuse(scope, receive, send)
            if not refused:
                await send(message)

        try:
            await self.app(scope, receive, held_back)
        finally:
            if not answered:  # its caller has gone, or is cut off; it is written down, and nobody waits
                event = self._event(scope, None)
                if event is not None:
                    self._audit.writer.submit(event)

    async def _write(self, scope: Scope, status: int) -> None:
        """Raises NotWritten."""
        event = None if status == Overloaded.status else self._event(scope, status)
        if event is not None:
            await self._audit.writer.write(event)

    def _event(self, scope: Scope, status: int | None) -> bytes | None:
        call, notes = call_of(scope, status), notes_of(scope)
        if call is None:
            return None
        kinds = {"image_id": notes.images, "study_uid": notes.studies, "patient_key": notes.patients}
        for name, value in called_of(scope).params.items():
            if name in _IDS and _IDS[name].fullmatch(value):
                kinds[name][value] = None
        client, server = (_address(scope.get(end)) for end in ("client", "server"))
        exchange = Exchange(caller_of(scope), client, server, correlation_id.get() or "none", status)
        return event_of(exchange, call, notes, self._audit.accession_key)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._audit.writer.refused += 1
        error = Unavailable("The access cannot be written down, and is refused until it can be.", part=PART)
        await error_response(error)(scope, receive, send)


def _address(end: tuple[str, int] | None) -> str:
    """The client's may be what a proxy on this machine says in X-Forwarded-For, which can be anything."""
    return end[0] if end is not None and _ADDRESS.fullmatch(end[0]) else "unknown"
