"""A limit on the size of request bodies, answered as a problem like every other error."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import PayloadTooLarge
from shared.web.json_body import is_json
from shared.web.problems import error_response


class BodyLimit:
    """Answers 413 to a body that is too long: unread if it declares its length, else once it has become too long.

    JSON is held to its own limit by its Content-Type alone, for a route that takes JSON takes no other.
    (FastAPI's own `max_body_size` answers in plain text, outside every middleware that could mend that.)
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_json_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_json_bytes = max_json_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self.max_json_bytes if is_json(headers) else self.max_bytes
        too_large = PayloadTooLarge(f"The body must not be longer than {limit:,} bytes.")
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            await error_response(too_large)(scope, receive, send)
            return
        received = 0

        async def limited_receive() -> Message:
            """Raises PayloadTooLarge, which is answered wherever the body is read."""
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise too_large
            return message

        await self.app(scope, limited_receive, send)
