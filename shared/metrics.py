"""How many requests there were and how long they took, for Prometheus; bounded, whatever is sent."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.request_log import CALLER_GONE

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class RequestMetrics:
    """Counts by route template, method and class of status.

    What no route takes is counted as one: series by the paths and methods that callers make up would fill the memory.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        self._count = Counter("http_requests", "Requests answered.", ["handler", "method", "status"], registry=registry)
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Seconds until the answer was sent.",
            ["handler", "method"],
            buckets=BUCKETS_S,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except Exception:
            status = status or 500
            raise
        finally:
            operation = _operation(scope)
            self._count.labels(*operation, f"{(status or CALLER_GONE) // 100}xx").inc()
            self._duration.labels(*operation).observe(time.perf_counter() - started)


def _operation(scope: Scope) -> tuple[str, str]:
    route, method = scope.get("route"), scope["method"]
    if method in (getattr(route, "methods", None) or ()):
        return getattr(route, "path", "none"), method
    return "none", "other"
