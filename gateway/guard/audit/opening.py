"""The audit of a gateway, opened where its settings say."""

import hmac
from dataclasses import dataclass

from gateway.guard.audit.journal import Journal
from gateway.guard.audit.writer import Writer
from gateway.settings import GatewaySettings
from shared.schemas.system import Check

FOLDER = "audit"


@dataclass(frozen=True)
class Audit:
    writer: Writer
    accession_key: bytes

    async def check(self) -> Check:
        """Whether what is asked can be written down; where the last lines could not be, it is tried again."""
        ready = await self.writer.usable()
        return Check(part="audit", ready=ready, detail=None if ready else "Lines cannot be written: is the disk full?")


def open_audit(settings: GatewaySettings) -> Audit:
    """Raises AuditUnusable."""
    journal = Journal(
        settings.gateway_dir / FOLDER,
        settings.configured_audit_key(),
        max_bytes=settings.audit_max_bytes,
        keep_days=settings.audit_keep_days,
    )
    return Audit(Writer(journal), hmac.digest(journal.key, b"accession numbers", "sha256"))
