"""The image that a request brings, and the report that may lie beside it in a form."""

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from gateway.parts import Parts
from gateway.reports import read_report
from gateway.routes.report_texts import MAX_REPORT_BYTES, TEXT, parse_report
from gateway.upstream.forms import Part, boundary_of, form_type, with_part_exchanged
from gateway.upstream.uploads import Upload
from shared.errors import BadRequest
from shared.web.body import BODY_IDLE_S
from shared.web.json_body import BODY_ENDED
from shared.web.time_limit import deadline_of

REPORT_PART = "report"
READ_WITHIN_S = BODY_IDLE_S - 1
"""So long may a report that lies in a form be read: meanwhile the index, which waits for the rest, gets nothing."""


def upload_of(request: Request) -> Upload:
    return Upload(request.headers.raw, _body(request))


def upload_with_report_of(request: Request, parts: Parts) -> Upload:
    """The same; where it is a form with a report, the index gets its labels in the report's place.

    Raises BadRequest for a form without a boundary.
    """
    boundary = boundary_of(dict(request.headers.raw).get(b"content-type", b""))
    if boundary is None:
        return upload_of(request)

    async def labels_of(part: Part) -> bytes:
        report = parse_report(bytes(part.data), part.content_type or TEXT, at=("body", REPORT_PART))
        labels = await read_report(report, parts.classifier, deadline_of(request).capped(READ_WITHIN_S))
        return labels.model_dump_json(exclude_none=True).encode()

    form = with_part_exchanged(_body(request), boundary, REPORT_PART.encode(), labels_of, most_bytes=MAX_REPORT_BYTES)
    return Upload([(b"content-type", form_type(boundary))], form)  # of a length that nobody knows yet


async def _body(request: Request) -> AsyncIterator[bytes]:
    """Raises PayloadTooLarge past the limit on bodies, BadRequest where the client goes away."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise BadRequest(BODY_ENDED) from None
