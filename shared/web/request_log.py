"""One log line and one count for each request, and an answer to errors that nobody handled."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.logs import described
from shared.web.metrics import RequestMetrics
from shared.web.problems import internal_error_response

log = structlog.get_logger("access")

CALLER_GONE = 499  # as proxies log it: nobody was there to be answered


class RequestLog:
    """Logs route, status and duration of each request, and answers for errors that nobody handled.

    The route's template is logged, not the path: a path can hold identifiers, a query string anything. Of an unhandled
    error the type and the places in the code are logged, not the message: it can quote the input.
    """

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_at = scope.get("state", {}).get("began_at", time.monotonic())
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except Exception as error:  # noqa: BLE001 - the last line of defence: every request gets an answer
            log.error("unhandled_error", **described(error))  # noqa: TRY400
            if status == 0:
                await internal_error_response()(scope, receive, watched_send)
        route = getattr(scope.get("route"), "path", "unmatched")
        elapsed_s = time.monotonic() - began_at
        status = status or CALLER_GONE
        self._metrics.observe(scope, status, elapsed_s)
        log.info("request", method=scope["method"], route=route, status=status, elapsed_ms=round(1000 * elapsed_s, 2))
