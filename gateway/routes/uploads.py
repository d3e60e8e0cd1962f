"""The image that a request brings."""

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from gateway.upstream.uploads import Upload
from shared.errors import BadRequest


def upload_of(request: Request) -> Upload:
    return Upload(request.headers.raw, _body(request))


async def _body(request: Request) -> AsyncIterator[bytes]:
    """Raises PayloadTooLarge past the limit on bodies, BadRequest where the client goes away."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise BadRequest("The body ended before it was complete.") from None
