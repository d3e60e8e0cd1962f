"""Who sends a request, and what that caller may do."""

from dataclasses import dataclass
from typing import Literal, get_args

Right = Literal["retrieve", "ingest", "deliver", "delete", "admin"]  # the scopes of OAuth; ASGI has another `scope`
RIGHTS: tuple[Right, ...] = get_args(Right)


@dataclass(frozen=True)
class Caller:
    """`name` may be written down: a key's id, a token's issuer and subject, or what stands for a caller without."""

    name: str
    kind: Literal["key", "token", "local"]
    rights: frozenset[Right]


LOCAL = Caller("local", "local", frozenset(RIGHTS))
"""Whoever reaches a gateway that asks for no key."""
