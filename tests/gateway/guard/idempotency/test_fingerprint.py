from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.guard.idempotency.fingerprint import Fingerprint

FORM = b"multipart/form-data; boundary="


def fingerprint(*chunks: bytes, content_type: bytes = b"image/png", secret: bytes = b"secret", **head: str) -> bytes:
    headers = [(b"content-type", content_type)]
    scope = {"method": "POST", "path": "/v1/images", "query_string": b"", "headers": headers}
    made = Fingerprint(secret, scope | head)
    for chunk in chunks:
        made.add(chunk)
    return made.digest()


@given(body=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60)), boundary=st.sampled_from([None, b"a", b"aab"]))
def test_fingerprint_is_one_however_the_body_arrives(body, cuts, boundary):
    if boundary is not None:
        body = bytes(b"ab-"[byte % 3] for byte in body)
    content_type = b"image/png" if boundary is None else FORM + boundary
    places = [0, *sorted(cuts), len(body)]
    chunks = [body[start:end] for start, end in pairwise(places)]
    assert fingerprint(*chunks, content_type=content_type) == fingerprint(body, content_type=content_type)


@given(st.sampled_from([b"x", b"yy", b"--x-y"]), st.sampled_from([b"x", b"z" * 70]))
def test_boundary_of_a_form_counts_for_nothing_and_what_lies_between_does(one, other):
    def form(boundary: bytes, content: bytes) -> bytes:
        body = b"--%s\r\n\r\n%s\r\n--%s--\r\n" % (boundary, content, boundary)
        return fingerprint(body, content_type=FORM + boundary)

    assert form(one, b"content") == form(other, b"content")
    assert form(one, b"content") != form(other, b"contents")


def test_every_part_of_a_request_and_the_secret_count():
    made = [
        fingerprint(b"body"),
        fingerprint(b"body", secret=b"other"),
        fingerprint(b"body", content_type=b"image/jpeg"),
        fingerprint(b"body", path="/v1/reports"),
        fingerprint(b"body", query_string=b"a=b"),
        fingerprint(b"body", method="PUT"),
        fingerprint(b"bodY"),
        fingerprint(),
    ]
    assert len(set(made)) == len(made)
