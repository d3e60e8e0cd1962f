"""Refuses a body that says it is too long before any of it is read.

A body that does not say so is counted while it is read, by Starlette's own limit (`FastAPI(max_body_size=…)`).
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import PayloadTooLarge
from shared.problems import error_response


class DeclaredLength:
    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if declared.isdecimal() and int(declared) > self.max_bytes:
            too_large = PayloadTooLarge(f"The body must not be longer than {self.max_bytes} bytes.")
            await error_response(too_large)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
