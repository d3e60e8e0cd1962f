"""All of the guard but the lanes: who may come in, and what is kept of it in the gateway's own folder."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from gateway.guard.audit.middleware import Audited
from gateway.guard.audit.opening import open_audit
from gateway.guard.door import Door
from gateway.guard.folder import claim
from gateway.guard.idempotency.kept_answers import KeptAnswers
from gateway.guard.identity import Identity
from gateway.settings import GatewaySettings


class Guard:
    """Owns the folder until `open` ends. Raises FolderUnusable, AuditUnusable, OpenToAll, KeysUnusable or OSError."""

    def __init__(self, settings: GatewaySettings) -> None:
        with ExitStack() as opened:
            opened.callback(claim(settings.gateway_dir).release)
            self.door = Door(settings)
            self.audit = open_audit(settings)
            opened.callback(self.audit.writer.close)
            self.answers = KeptAnswers(settings.gateway_dir, settings.idempotency_hours)
            self._opened = opened.pop_all()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        with self._opened:
            async with self.door.open(), self.answers.forgotten_in_time():
                yield

    def middleware(self, app: ASGIApp, registry: CollectorRegistry) -> ASGIApp:
        """Whoever is refused is written down too."""
        self.audit.writer.register(registry)
        return Audited(Identity(app, self.door, registry), self.audit)
