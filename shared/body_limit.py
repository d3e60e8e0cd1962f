"""A limit on the size of request bodies, answered as a problem like every other error."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import PayloadTooLarge
from shared.problems import error_response


class BodyLimit:
    """Answers 413 to a body longer than `max_bytes`: unread if it declares its length, else once it is too long.

    (FastAPI's own `max_body_size` answers in plain text, outside every middleware that could mend that.)
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        too_large = PayloadTooLarge(f"The body must not be longer than {self.max_bytes} bytes.")
        declared = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if declared.isdecimal() and int(declared) > self.max_bytes:
            await error_response(too_large)(scope, receive, send)
            return
        received = 0
        started = False

        async def limited_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise too_large
            return message

        async def limited_send(message: Message) -> None:
            # FastAPI turns any error while it reads a body into a 400: that answer is dropped for the one below.
            nonlocal started
            if received <= self.max_bytes or started:
                started = True
                await send(message)

        try:
            await self.app(scope, limited_receive, limited_send)
        except PayloadTooLarge as error:
            if error is not too_large:
                raise
        if received > self.max_bytes and not started:
            await error_response(too_large)(scope, receive, send)
