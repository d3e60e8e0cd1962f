"""A form on its way through the gateway: one of its parts is exchanged, all others are passed on as they arrive.

The form is written anew from what was read of it, so that the index can find no part in it that was not found here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.errors import BadRequest, InvalidInput, PayloadTooLarge

MAX_PARTS = 8
"""Of a form, whatever they are named: each costs more than its bytes tell."""

MALFORMED = "The form cannot be read: check its boundary and its parts, each of which needs a name."


@dataclass
class Part:
    """The part that is exchanged."""

    content_type: str
    data: bytearray = field(default_factory=bytearray)


def boundary_of(content_type: bytes) -> bytes | None:
    """None where the body is no form. Raises BadRequest for a form without a boundary."""
    media_type, options = parse_options_header(content_type)
    if media_type != b"multipart/form-data":
        return None
    if not options.get(b"boundary"):
        raise BadRequest(MALFORMED)
    return options[b"boundary"]


def form_type(boundary: bytes) -> bytes:
    """The Content-Type of a form, and nothing in it that could change how its names are read."""
    quoted = boundary.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'multipart/form-data; boundary="%s"' % quoted


async def with_part_exchanged(
    stream: AsyncIterator[bytes],
    boundary: bytes,
    name: bytes,
    exchange: Callable[[Part], Awaitable[bytes]],
    *,
    most_bytes: int,
) -> AsyncIterator[bytes]:
    """The form, in which the JSON that `exchange` makes of the part `name` stands in that part's place.

    That part alone is held, up to `most_bytes`. Raises BadRequest where it is no whole form, InvalidInput where the
    part comes twice, PayloadTooLarge where it is too long, and what `exchange` raises.
    """
    form = _Form(boundary, name, most_bytes)
    async for chunk in stream:
        pieces = [
            piece if isinstance(piece, bytes) else form.json_part(await exchange(piece)) for piece in form.read(chunk)
        ]
        if sent_on := b"".join(pieces):
            yield sent_on
    if not form.ended:
        raise BadRequest("The form ended before its closing boundary.")


class _Form:
    """What is to be sent on of each chunk of a form, in order: bytes, and the part that is to be exchanged."""

    def __init__(self, boundary: bytes, name: bytes, most_bytes: int) -> None:
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise BadRequest(MALFORMED) from None
        self.ended = False
        self._boundary = boundary
        self._name = name
        self._most_bytes = most_bytes
        self._pieces: list[bytes | Part] = []
        self._parts = 0
        self._exchanged: Part | None = None  # the one there is, once it has come
        self._at_it = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._header = (b"", b"")

    def read(self, chunk: bytes) -> list[bytes | Part]:
        self._pieces = []
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise BadRequest(MALFORMED) from None
        return self._pieces

    def json_part(self, content: bytes) -> bytes:
        disposition = b'Content-Disposition: form-data; name="%s"' % self._name
        head = b"--%s\r\n%s\r\nContent-Type: application/json\r\n\r\n" % (self._boundary, disposition)
        return head + content + b"\r\n"

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise InvalidInput(f"The form holds more than {MAX_PARTS} parts.")
        self._headers = []

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], b"")

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _end_header(self) -> None:
        self._headers.append(self._header)
        self._header = (b"", b"")

    def _end_headers(self) -> None:
        known = {name.lower(): value for name, value in self._headers}
        _, options = parse_options_header(known.get(b"content-disposition"))
        if b"name" not in options:
            raise BadRequest(MALFORMED)
        self._at_it = options[b"name"] == self._name
        if not self._at_it:
            lines = [b"--" + self._boundary, *(name + b": " + value for name, value in self._headers), b"", b""]
            self._pieces.append(b"\r\n".join(lines))
        elif self._exchanged is None:
            self._exchanged = Part(known.get(b"content-type", b"").decode("latin-1"))
        else:
            raise InvalidInput(f"The form holds two parts named {self._name.decode()}.")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._at_it:
            self._pieces.append(data[start:end])
            return
        assert self._exchanged is not None  # noqa: S101 - its headers were read
        self._exchanged.data += data[start:end]
        if len(self._exchanged.data) > self._most_bytes:
            raise PayloadTooLarge(
                f"The part {self._name.decode()} of the form must not be longer than {self._most_bytes:,} bytes."
            )

    def _end_part(self) -> None:
        if self._at_it and self._exchanged is not None:
            self._pieces.append(self._exchanged)
        else:
            self._pieces.append(b"\r\n")

    def _end(self) -> None:
        self._pieces.append(b"--%s--\r\n" % self._boundary)
        self.ended = True
