"""Who sends a request, and what that caller may do."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

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

ANYONE = Caller("anyone", "local", frozenset())
"""Whoever asks for what is open to all; who that is was not looked at."""

_STATE = "identity"  # not `caller`: that is the connection, of shared.web.connections


def caller_of(scope: MutableMapping[str, Any]) -> Caller:
    """The one that Identity found, or LOCAL in an app without it."""
    caller: Caller = scope.get("state", {}).get(_STATE, LOCAL)
    return caller


def set_caller(scope: MutableMapping[str, Any], caller: Caller) -> None:
    scope.setdefault("state", {})[_STATE] = caller
