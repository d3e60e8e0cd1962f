"""A gateway that asks for no key serves its own machine alone, and only those who mean it.

A page from elsewhere can make a browser on this machine ask under a name of its own (DNS rebinding), or send a form
(cross-site request forgery). The first shows in `Host`, the second in `Origin`.
"""

from collections.abc import Collection

from starlette.types import Scope

from shared.errors import Forbidden, Misdirected
from shared.web.loopback import is_loopback, names_this_machine

HOSTS = "localhost, 127.0.0.1 or [::1]"


class ForeignPage(Forbidden):
    """A browser asks for a page that is not ours."""


class OpenToAll(Exception):
    """The message says what to do about it."""


def refuse_to_be_open(host: str) -> None:
    """Raises OpenToAll where others could reach a gateway that asks nobody for a key."""
    if not is_loopback(host):
        raise OpenToAll(
            f"CHEX_HOST={host} is reached from elsewhere, and there is no key yet: make one (python -m gateway keys "
            "create), set CHEX_OIDC_ISSUER, or listen on 127.0.0.1. CHEX_AUTH=off lets everyone in."
        )


def check_local(scope: Scope, allowed_origins: Collection[str]) -> None:
    """Raises Misdirected or Forbidden."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or not names_this_machine(hosts[0].decode("latin-1")):
        raise Misdirected(f"Without any key this gateway answers only to the names {HOSTS}. Make a key for others.")
    for name, value in scope["headers"]:
        if name == b"origin" and not _is_ours(value.decode("latin-1"), allowed_origins):
            raise ForeignPage("Without any key this gateway takes nothing from pages of other sites.")


def _is_ours(origin: str, allowed: Collection[str]) -> bool:
    scheme, _, host = origin.partition("://")
    return origin in allowed or (scheme in {"http", "https"} and names_this_machine(host))
