"""An API key: `chex_<id>_<secret>`. The id is public and may be written down; the secret has 256 random bits."""

import re
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from gateway.guard.caller import Caller, Right

PREFIX = "chex_"
_FORM = re.compile(r"chex_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Written(NamedTuple):
    id: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}{self.id}_{self.secret}"


def new_key() -> Written:
    return Written(secrets.token_hex(6), secrets.token_urlsafe(32))


def parse_key(text: str) -> Written | None:
    form = _FORM.fullmatch(text)
    return None if form is None else Written(form[1], form[2])


@dataclass(frozen=True)
class Key:
    """What is kept of a key. Times are seconds since 1970; `hash` is argon2's, of the secret."""

    id: str
    name: str
    rights: frozenset[Right]
    hash: str
    rate: str | None  # as the library `limits` reads it: "60/minute"
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None

    @cached_property
    def caller(self) -> Caller:
        return Caller(self.id, "key", self.rights)

    def ended(self, now: float) -> str | None:
        """What ended it, if it has ended."""
        if self.revoked_at is not None:
            return "was revoked"
        return "has expired" if self.expires_at is not None and now >= self.expires_at else None
