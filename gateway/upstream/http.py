"""HTTP to one service, and no more of it than the gateway needs.

(httpx's own client makes a cookie jar, an auth flow and a redirect history for each call: a tenth of a millisecond.)
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Self

import httpx
from pydantic import SecretStr

from gateway.upstream.connection import Connection
from gateway.upstream.slots import Slots

CONNECT_TIMEOUT_S = 2.0
_TIMEOUTS = {"timeout": httpx.Timeout(None, connect=CONNECT_TIMEOUT_S).as_dict()}  # calls are bounded by deadlines

# Idle connections are dropped before the service drops them (uvicorn: after 5 s), so that none is lost in the act.
IDLE_S = 3.0

_MOST_URLS = 64


class Http:
    """`token`: what the service asks for, where it does."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport, *, token: SecretStr | None = None) -> None:
        base_url = base_url.rstrip("/")
        self._url = lru_cache(_MOST_URLS)(lambda path: httpx.URL(base_url + path))  # which takes long to read
        self._transport = transport
        self._authorization = None if token is None else f"Bearer {token.get_secret_value()}"

    def request(
        self,
        method: str,
        path: str,
        *,
        content: Any = None,
        params: dict[str, Any] | None = None,
        headers: Mapping[str, str] | Mapping[bytes, bytes] | None = None,
    ) -> httpx.Request:
        """`content`: bytes, or an asynchronous iterator of bytes that can be sent once."""
        request = httpx.Request(
            method, self._url(path), content=content, params=params, headers=headers, extensions=_TIMEOUTS
        )
        if self._authorization is not None:
            request.headers["Authorization"] = self._authorization
        return request

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The whole answer. Raises httpx.TransportError, or httpx.DecodingError."""
        response = await self._transport.handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()


def open_http(base_url: str, token: SecretStr | None = None) -> Http:
    tls = httpx.create_ssl_context(trust_env=False)
    return Http(base_url, Slots(lambda: Connection(tls=tls, idle_s=IDLE_S), idle_s=IDLE_S), token=token)
