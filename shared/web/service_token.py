"""The services answer the gateway alone: whoever else reaches them lacks the token that the two share."""

import hmac
import sys
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Unauthenticated
from shared.settings import ServiceSettings
from shared.web.loopback import is_loopback
from shared.web.problems import error_response

_OPEN = frozenset({"/healthz", "/readyz"})


class ServiceToken:
    """Answers 401 to requests without `Authorization: Bearer TOKEN`, before their bodies are read. Health is open."""

    def __init__(self, app: ASGIApp, token: SecretStr, registry: CollectorRegistry) -> None:
        self.app = app
        self._expected = f"Bearer {token.get_secret_value()}".encode()
        self._refused = Counter("chex_strangers_refused", "Requests without the service token.", registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OPEN or self._has_token(scope):
            await self.app(scope, receive, send)
            return
        self._refused.inc()
        response = error_response(Unauthenticated("Only the gateway is answered here: the service token is missing."))
        response.headers["WWW-Authenticate"] = 'Bearer realm="chexretriever services"'
        await response(scope, receive, send)

    def _has_token(self, scope: Scope) -> bool:
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(sent) == 1 and hmac.compare_digest(sent[0], self._expected)


def guard_by(settings: ServiceSettings) -> Callable[..., ASGIApp] | None:
    """The `guard` of a service's app: None where no token is set, on a machine of one's own."""
    token = settings.token()
    return None if token is None else partial(ServiceToken, token=token)


def require_token(settings: ServiceSettings, service: str) -> None:
    """Ends the process with one plain sentence where others than this machine's could ask, and no token is set."""
    if settings.token() is None and not is_loopback(settings.host):
        sys.exit(
            f"{service}: CHEX_HOST={settings.host} is reached from elsewhere: set CHEX_SERVICE_TOKEN or "
            "CHEX_SERVICE_TOKEN_FILE, the same for the gateway and the services, or listen on 127.0.0.1."
        )
