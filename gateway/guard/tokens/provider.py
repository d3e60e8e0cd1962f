"""What is asked of an identity provider over HTTP: where its keys are, and which."""

import json
from typing import Any

import httpx
import structlog

log = structlog.get_logger("tokens")

TIMEOUT_S = 5.0
MOST_BYTES = 2**20


class ProviderFailed(Exception):
    """The message says what could not be had, in words of ours alone."""


class Provider:
    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._client: httpx.AsyncClient | None = None

    async def jwks(self) -> dict[str, Any]:
        """Raises ProviderFailed."""
        return await self._get(self._jwks_url or await self._discovered())

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _discovered(self) -> str:
        """By OpenID Connect Discovery 1.0, section 4; the document must be the issuer's own (4.3)."""
        document = await self._get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer:
            raise ProviderFailed("The discovery document is another issuer's.")
        url = document.get("jwks_uri")
        same_scheme = isinstance(url, str) and url.startswith(("https://", f"{self._issuer.partition('://')[0]}://"))
        if not same_scheme:
            raise ProviderFailed("The discovery document names no jwks_uri that can be trusted.")
        return str(url)

    async def _get(self, url: str) -> dict[str, Any]:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S)  # a proxy or authority of the site's counts here
        body = bytearray()
        try:
            async with self._client.stream("GET", url, headers={"Accept": "application/json"}) as response:
                if response.status_code != httpx.codes.OK:
                    raise ProviderFailed(f"It answered with status {response.status_code}.")
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise ProviderFailed("Its answer is too long.")
            document = json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderFailed(f"It cannot be reached ({type(error).__name__}).") from None
        except (ValueError, RecursionError):
            raise ProviderFailed("Its answer is no JSON.") from None
        if not isinstance(document, dict):
            raise ProviderFailed("Its answer is no JSON object.")
        return document
