"""Forms as the gateway's tests write and read them."""

import re

import httpx

BOUNDARY = b"--a.b"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}


def part(name: str, content: bytes, content_type: str | None = None) -> bytes:
    typed = "" if content_type is None else f"\r\nContent-Type: {content_type}"
    return f'Content-Disposition: form-data; name="{name}"{typed}\r\n\r\n'.encode() + content


def form(*parts: bytes, end: bytes = b"--\r\n") -> bytes:
    return b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY, each) for each in parts) + b"--" + BOUNDARY + end


def parts_of(request: httpx.Request) -> dict[str, tuple[bytes, bytes]]:
    """Head and content of each part, by name."""
    content_type = request.headers["content-type"].encode()
    (boundary,) = re.findall(rb'boundary="?([^"]+)', content_type)
    before, *parts, after = (b"\r\n" + request.read()).split(b"\r\n--" + boundary)
    assert (before, after.rstrip()) == (b"", b"--")
    found = {}
    for each in parts:
        head, _, content = each.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        (name,) = re.findall(rb' name="([^"]*)"', head)
        found[name.decode()] = (head, content)
    assert len(found) == len(parts)
    return found
