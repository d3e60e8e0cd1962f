"""Which calls are written down, and as what."""

from dataclasses import dataclass
from typing import Literal

from starlette.types import Scope

from gateway.guard.path import path_of
from gateway.guard.rights import called_of

NOT_AUDITED = frozenset({"/v1/index", "/v1/models"})
"""They describe the installation, and no patient."""
_LISTS = frozenset({"/v1/images"})
_MAKES = frozenset({"/v1/images", "/v1/reports"})
_CREATED = 201

Action = Literal["C", "R", "U", "D", "E"]
Interaction = Literal["create", "read", "update", "delete", "search", "operation"]


@dataclass(frozen=True)
class Call:
    """`name`: method and template of the path. Action and interaction are FHIR's."""

    name: str
    action: Action
    interaction: Interaction


def is_audited(scope: Scope) -> bool:
    """By the path alone, before anything is done: every call of the interface but those that describe it."""
    path = path_of(scope)
    return path.startswith("/v1/") and path not in NOT_AUDITED


def call_of(scope: Scope, status: int | None) -> Call | None:
    """None where there is no such call: then nothing was touched."""
    template, method = called_of(scope).template, scope["method"]
    if template is None:
        return None
    action, interaction = _kind(method, template, made=status == _CREATED)
    return Call(f"{method} {template}", action, interaction)


def _kind(method: str, template: str, *, made: bool) -> tuple[Action, Interaction]:
    if method in {"GET", "HEAD"}:
        return ("E", "search") if template in _LISTS else ("R", "read")
    if method == "DELETE" or template.endswith("/delete"):
        return "D", "delete"
    if method == "PUT" or template in _MAKES:
        return ("C", "create") if made else ("U", "update")
    return "E", "operation" if template == "/v1/classify" else "search"
