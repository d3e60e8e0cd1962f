"""By what a request is known again: a keyed hash, made while its body passes. Nothing of the body is held."""

import hashlib
import hmac
import json

from starlette.types import Message, Receive, Scope

from gateway.upstream.forms import boundary_of
from shared.errors import BadRequest
from shared.web.json_body import BODY_ENDED

_BOUNDARY = b"\x00boundary\x00"


class Fingerprint:
    """HMAC-SHA256 of method, path, query, content type and body.

    The boundary of a form counts for nothing: clients make a new one for each time that they send it. Raises BadRequest
    for a form without one.
    """

    def __init__(self, secret: bytes, scope: Scope) -> None:
        content_type: bytes = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        self._boundary = boundary_of(content_type) or b""
        self._rest = b""  # may be the beginning of a boundary
        kind = "form" if self._boundary else content_type.strip(b" \t").decode("latin-1")
        head = [scope["method"], scope["path"], scope["query_string"].decode("latin-1"), kind]
        self._hash = hmac.new(secret, json.dumps(head).encode(), hashlib.sha256)

    def add(self, chunk: bytes) -> None:
        if not self._boundary:
            self._hash.update(chunk)
            return
        *whole, rest = (self._rest + chunk).split(self._boundary)
        for piece in whole:
            self._hash.update(piece + _BOUNDARY)
        known = max(0, len(rest) - len(self._boundary) + 1)
        self._hash.update(rest[:known])
        self._rest = rest[known:]

    def digest(self) -> bytes:
        """Once the whole body was added."""
        self._hash.update(self._rest)
        return self._hash.digest()


class FingerprintedBody:
    """The body of a request, on its way to whoever calls `receive`."""

    def __init__(self, receive: Receive, fingerprint: Fingerprint) -> None:
        self._receive = receive
        self._fingerprint = fingerprint
        self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._fingerprint.add(message.get("body", b""))
            self._ended = not message.get("more_body", False)
        return message

    async def whole(self) -> bytes:
        """The fingerprint; what nobody has received of the body is received and dropped.

        Raises BadRequest where the client goes away, and what receiving raises.
        """
        while not self._ended:
            if (await self.receive())["type"] != "http.request":
                raise BadRequest(BODY_ENDED)
        return self._fingerprint.digest()
