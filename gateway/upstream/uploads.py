"""An image on its way through the gateway: passed on as it arrives, never held whole."""

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from shared.errors import BadRequest

_PASSED_ON = (b"content-type", b"content-length")


class Upload:
    """The body of a request, to be sent on once. `started` tells whether any of it has been taken."""

    def __init__(self, request: Request) -> None:
        self._request = request
        # Bytes, as they came, but for white space around them: a server lets it in, and a client may not send it.
        self.headers = {name: value.strip(b" \t") for name, value in request.headers.raw if name in _PASSED_ON}
        self.started = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raises PayloadTooLarge past the limit on bodies, BadRequest where the client goes away."""
        self.started = True
        try:
            async for chunk in self._request.stream():
                yield chunk
        except ClientDisconnect:
            raise BadRequest("The body ended before it was complete.") from None
