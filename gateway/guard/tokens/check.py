"""Whether a bearer token is the issuer's, for us, and in its time; and what its bearer may do (RFC 9068, RFC 8725)."""

import hashlib
import secrets
import time
from collections import OrderedDict
from typing import Any, NamedTuple, cast

import jwt

from gateway.guard.caller import RIGHTS, Caller, Right
from gateway.guard.tokens.provider import Provider
from gateway.guard.tokens.signing_keys import SigningKeys
from gateway.settings import GatewaySettings
from shared.errors import Unauthenticated

LEEWAY_S = 30
MOST_CHARACTERS = 16 * 1024
_MOST_KEPT = 10_000
_CLAIMS = ["exp", "iss", "aud", "sub"]
_SAID = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidAudienceError: "The token is meant for another service.",
    jwt.InvalidIssuerError: "The token is of an issuer that is not known here.",
    jwt.MissingRequiredClaimError: f"The token lacks one of the claims {', '.join(_CLAIMS)}.",
}
INVALID = "The token is not valid."


class _Valid(NamedTuple):
    caller: Caller
    until: float


class TokenCheck:
    """`issuer` and the rest are those of the settings."""

    def __init__(self, settings: GatewaySettings, issuer: str) -> None:
        self._issuer = issuer
        self._settings = settings
        self._keys = SigningKeys(Provider(issuer, settings.oidc_jwks_url))
        self._process_key = secrets.token_bytes(32)
        self._valid: OrderedDict[bytes, _Valid] = OrderedDict()  # by the fast hash of the whole token
        self._changes = 0

    async def caller_of(self, token: str) -> Caller:
        """Raises Unauthenticated, or Unavailable while the issuer's keys cannot be had."""
        if len(token) > MOST_CHARACTERS:
            raise Unauthenticated(INVALID)
        self._keys.look_again()
        if self._changes != self._keys.changes:  # a key that was withdrawn holds no longer
            self._valid.clear()
            self._changes = self._keys.changes
        fast = hashlib.blake2b(token.encode(), key=self._process_key, digest_size=32).digest()
        valid = self._valid.get(fast)
        if valid is None or time.time() >= valid.until:
            valid = self._valid[fast] = await self._verify(token)
            if len(self._valid) > _MOST_KEPT:
                self._valid.popitem(last=False)
        return valid.caller

    def start(self) -> None:
        self._keys.ask()

    async def close(self) -> None:
        await self._keys.close()

    async def _verify(self, token: str) -> _Valid:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self._settings.oidc_algorithms:
                raise Unauthenticated("The token is signed in a way that is not taken here.")
            key = await self._keys.get(header.get("kid"))
            if key is None or key.algorithm not in {None, header["alg"]}:
                raise Unauthenticated("The token is signed with a key that its issuer does not have.")
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[header["alg"]],
                audience=self._settings.oidc_audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": _CLAIMS},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(_SAID.get(type(error), INVALID)) from None
        except (ValueError, TypeError):  # what is no token at all
            raise Unauthenticated(INVALID) from None
        return _Valid(self._caller(claims), claims["exp"] + LEEWAY_S)

    def _caller(self, claims: dict[str, Any]) -> Caller:
        subject = claims["sub"]
        if not subject or len(subject) > 255 or not subject.isprintable():
            raise Unauthenticated("The token's subject cannot be written down.")
        return Caller(f"{self._issuer} {subject}", "token", self._rights(claims))

    def _rights(self, claims: dict[str, Any]) -> frozenset[Right]:
        """Of `scope` (RFC 8693: words) and `scp` (words, or a list), those that begin with the prefix."""
        words: list[object] = []
        for claim in (claims.get("scope"), claims.get("scp")):
            words += claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
        prefix = self._settings.oidc_right_prefix
        named = {word.removeprefix(prefix) for word in words if isinstance(word, str) and word.startswith(prefix)}
        return frozenset(cast("set[Right]", named & set(RIGHTS)))
