"""Lines that hold each other: each is sealed by an HMAC over the seal before it and itself. Whoever lacks the key can
neither change, remove, insert nor swap one without breaking the chain there.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Self

_SEAL = b',"extension":[{"url":"urn:chexretriever:audit-hmac","valueString":"'
_LINE = re.compile(
    rb'(?P<body>\{"resourceType":"AuditEvent","id":"(?P<chain>[0-9a-f]+)\.(?P<number>[0-9]{1,18})",.*)'
    + re.escape(_SEAL)
    + rb'(?P<seal>[0-9a-f]{64})"\}\]\}\n'
)


@dataclass(frozen=True)
class Link:
    """A place in a chain: so many lines, the last of which has this seal (hex)."""

    count: int
    seal: str


@dataclass(frozen=True)
class Line:
    """A line as it is written. What it says of itself is believed only where `Chain.holds`."""

    chain: str
    link: Link
    body: bytes

    @classmethod
    def read(cls, line: bytes) -> Self | None:
        """None for what is no whole line."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        link = Link(int(found["number"]), found["seal"].decode())
        return cls(found["chain"].decode(), link, found["body"])


class Chain:
    """`name` is another one for each chain that was ever begun: it is part of every line's id."""

    def __init__(self, key: bytes, name: str) -> None:
        self.name = name
        self._key = hmac.digest(key, f"chain {name}".encode(), "sha256")

    @property
    def start(self) -> Link:
        return Link(0, self._hmac(b"start"))

    def sealed(self, after: Link, event: bytes) -> tuple[bytes, Link]:
        """The line of an event (a JSON object without `resourceType` and `id`), and where the chain is with it."""
        number = after.count + 1
        body = b'{"resourceType":"AuditEvent","id":"%s.%d",' % (self.name.encode(), number) + event[1:-1]
        link = Link(number, self._hmac(b"line", after.seal.encode(), body))
        return body + _SEAL + link.seal.encode() + b'"}]}\n', link

    def holds(self, after: Link, line: Line) -> bool:
        expected = self._hmac(b"line", after.seal.encode(), line.body)
        return (
            line.chain == self.name
            and line.link.count == after.count + 1
            and hmac.compare_digest(expected, line.link.seal)
        )

    def signed(self, what: str, link: Link) -> bytes:
        """A link as the content of a file that nobody else can write; `what` is the file's purpose."""
        kept = {"chain": self.name, "count": link.count, "seal": link.seal, "signature": self._signature(what, link)}
        return json.dumps(kept).encode()

    def is_signed(self, what: str, link: Link, signature: str) -> bool:
        return hmac.compare_digest(self._signature(what, link), signature)

    def _signature(self, what: str, link: Link) -> str:
        return self._hmac(what.encode(), str(link.count).encode(), link.seal.encode())

    def _hmac(self, *parts: bytes) -> str:
        return hmac.new(self._key, b"\0".join(parts), hashlib.sha256).hexdigest()
