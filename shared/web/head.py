"""HEAD is answered wherever GET is: by the same headers, without a body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """The innermost of the middlewares: all others see the method that was sent. FastAPI's routes do not take HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            scope["method"] = "HEAD"  # by which whoever sends it away knows that no body will come
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope["method"] = "GET"  # in the same scope, where routes leave what the others read
        try:
            await self.app(scope, receive, send_head)
        finally:
            scope["method"] = "HEAD"
