"""A form is written anew with one of its parts exchanged, however its bytes come."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.upstream.forms import MAX_PARTS, Part, boundary_of, form_type, with_part_exchanged
from shared.errors import BadRequest, InvalidInput, PayloadTooLarge
from tests.gateway.forms import BOUNDARY, form, part, parts_of

# What could be taken for a boundary, and is none.
PIXELS = b"\r\n--" + BOUNDARY[:-1] + b"\r\n\x00\xff--" + BOUNDARY + b"\r\r\n" + b"\r\n--"
FILE = part("file", PIXELS, "application/dicom")
METADATA = part("metadata", b'{"view_position": "PA"}')
REPORT = part("report", b"Edema.", "text/plain")


async def in_chunks(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


class Exchange:
    """What is sent on of a form of that boundary, and the parts named report, in whose place is `{}`."""

    def __init__(self, boundary: bytes = BOUNDARY) -> None:
        self.boundary = boundary
        self.exchanged: list[Part] = []
        self.sent: list[bytes] = []
        self.sent_before: list[bytes] = []

    async def __call__(self, read: Part) -> bytes:
        self.exchanged.append(read)
        self.sent_before = self.sent[:]
        return b"{}"

    async def of(self, body: bytes, size: int = 1000) -> httpx.Request:
        chunks = in_chunks(body, size)
        async for chunk in with_part_exchanged(chunks, self.boundary, b"report", self, most_bytes=10):
            assert chunk  # an empty one would end a body that is sent in chunks
            self.sent += [chunk]
        content_type = {"Content-Type": form_type(self.boundary).decode()}
        return httpx.Request("PUT", "http://index", content=b"".join(self.sent), headers=content_type)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("parts", [[REPORT, FILE, METADATA], [FILE, REPORT, METADATA], [FILE, METADATA, REPORT]])
async def test_one_part_is_exchanged_and_the_others_stay_byte_for_byte_wherever_they_are_cut(exchange, parts, size):
    request = await exchange.of(form(*parts), size)
    assert exchange.exchanged == [Part("text/plain", bytearray(b"Edema."))]
    kept = parts_of(request)
    assert kept["file"] == (FILE.partition(b"\r\n\r\n")[0], PIXELS)
    assert kept["metadata"] == (METADATA.partition(b"\r\n\r\n")[0], b'{"view_position": "PA"}')
    assert kept["report"] == (part("report", b"", "application/json").removesuffix(b"\r\n\r\n"), b"{}")


@pytest.mark.parametrize("size", [1, 1000])
async def test_form_without_the_part_stays_as_it_is(exchange, size):
    request = await exchange.of(form(FILE, METADATA), size)
    assert request.content == form(FILE, METADATA)
    assert exchange.exchanged == []


async def test_part_without_content_and_without_type_is_exchanged(exchange):
    request = await exchange.of(form(part("report", b"")))
    assert exchange.exchanged == [Part("")]
    assert parts_of(request)["report"][1] == b"{}"


async def test_what_lies_around_the_form_is_left_out(exchange):
    request = await exchange.of(b"\r\n" + form(FILE) + b"report: Edema.")
    assert request.content == form(FILE)


async def test_all_before_the_part_is_sent_on_before_the_part_is_exchanged(exchange):
    await exchange.of(form(FILE, REPORT), 10)
    assert PIXELS in b"".join(exchange.sent_before)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", BadRequest),
        (b"nothing of a form", BadRequest),
        (form(FILE)[:-4], BadRequest),
        (form(FILE, REPORT)[:-30], BadRequest),
        (form(FILE, end=b"\r\n"), BadRequest),
        (form(b"Content-Disposition: form-data\r\n\r\nnameless"), BadRequest),
        (form(b"\r\nheadless"), BadRequest),
        (form(b"no header\r\n\r\nx"), BadRequest),
        (form(b'Content-Disposition: form-data; name="' + b"x" * 10_000 + b'"\r\n\r\n'), BadRequest),
        (form(REPORT, FILE, REPORT), InvalidInput),
        (form(*[part(f"part{number}", b"") for number in range(MAX_PARTS + 1)]), InvalidInput),
        (form(part("report", b"x" * 11)), PayloadTooLarge),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
async def test_what_is_no_whole_form_or_holds_too_much_is_refused(exchange, body, error, size):
    with pytest.raises(error):
        await exchange.of(body, size)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        (b"multipart/form-data; boundary=ab", b"ab"),
        (b'Multipart/Form-Data; charset=utf-16; boundary="a \\"b"', b'a "b'),
        (b"image/png; boundary=ab", None),
        (b"", None),
    ],
)
def test_form_is_told_by_its_type_and_its_boundary_survives(content_type, boundary):
    assert boundary_of(content_type) == boundary
    if boundary is not None:
        assert boundary_of(form_type(boundary)) == boundary
        assert b"charset" not in form_type(boundary)


@pytest.mark.parametrize("content_type", [b"multipart/form-data", b"multipart/form-data; boundary="])
def test_form_without_a_boundary_is_refused(content_type):
    with pytest.raises(BadRequest):
        boundary_of(content_type)


async def test_boundary_that_is_too_long_is_refused():
    with pytest.raises(BadRequest):
        await Exchange(b"x" * 300).of(b"x")
