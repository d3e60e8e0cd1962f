"""How much comes in at once. What cannot be answered in time is refused before its body is read.

Each kind of request has a lane of its own, so that neither uploads nor long texts hold up a question of one line, and
health and metrics pass beside all of them.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

import structlog
from asgi_correlation_id import correlation_id
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.guard.lane import Lane
from gateway.guard.path import path_of
from gateway.upstream.services import LONG_BYTES
from shared.errors import Overloaded
from shared.web.body import BodyTooSlow, read_ahead
from shared.web.problems import PROBLEM_TYPE, problem_of
from shared.web.time_limit import too_late_a_body

log = structlog.get_logger("admission")

LaneName = Literal["questions", "long_questions", "uploads", "reads"]

HOLD_BACK_S = 0.65
"""So long is a refusal kept back, lest a caller that ignores Retry-After takes the processor from those at work."""

_REQUEST_ID = b"{request_id}"
_QUESTIONS = frozenset({"/v1/retrieve", "/v1/classify", "/v1/search", "/v1/reports"})
_REPORT = re.compile(r"/v1/(?:images|studies)/[^/]+/report")  # its text is read as a question's is
_UPLOADS = "/v1/images"
_BY_IMAGE = "/v1/search/by-image"


def make_lanes(at_work: int, waiting: int, uploads_at_work: int) -> dict[LaneName, Lane]:
    few = max(1, at_work // 16)
    return {
        "questions": Lane(at_work, waiting),
        "long_questions": Lane(few, 4 * few),
        "uploads": Lane(uploads_at_work, 4 * uploads_at_work),
        "reads": Lane(at_work, waiting),
    }


class Admission:
    def __init__(self, app: ASGIApp, lanes: Mapping[LaneName, Lane], registry: CollectorRegistry) -> None:
        self.app = app
        self._lanes = lanes
        self._told_at = 0.0
        registry.register(_LaneMetrics(lanes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = lane_of(scope) if scope["type"] == "http" else None
        if name is None:
            await self.app(scope, receive, send)
            return
        try:
            if name == "questions":
                # A place is for those who have asked: a body that is only half there holds none.
                self._lanes[name].refuse_if_full()
                receive, whole = await read_ahead(receive, LONG_BYTES)
                name = "questions" if whole else "long_questions"
            async with self._lanes[name].place():
                await self.app(scope, receive, send)
        except Overloaded as refusal:
            self._tell(name)
            await self._refuse(refusal, scope, send)
        except BodyTooSlow:
            await too_late_a_body(scope, receive, send)

    async def _refuse(self, refusal: Overloaded, scope: Scope, send: Send) -> None:
        """What comes of the body is dropped as it comes."""
        waited_s = time.monotonic() - scope.get("state", {}).get("began_at", time.monotonic())
        await asyncio.sleep(max(0.0, HOLD_BACK_S - waited_s))
        headers, body = _prepared(refusal.detail, refusal.retry_after_s)
        body = body.replace(_REQUEST_ID, (correlation_id.get() or "").encode())
        headers = [*headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _tell(self, name: LaneName) -> None:
        """One line a second at most, however many are refused."""
        if time.monotonic() - self._told_at > 1:
            self._told_at = time.monotonic()
            log.warning("requests_refused", lane=name, so_far=self._lanes[name].refused)


@cache
def _prepared(detail: str, retry_after_s: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of a refusal, but for its request id: under a flood of them, making each costs the served."""
    problem = problem_of(Overloaded(detail)).model_copy(update={"request_id": _REQUEST_ID.decode()})
    headers = [(b"content-type", PROBLEM_TYPE.encode()), (b"retry-after", b"%d" % retry_after_s)]
    return headers, problem.model_dump_json(exclude_none=True).encode()


def lane_of(scope: Scope) -> LaneName | None:
    """By what the head says. None for what never waits: health, metrics, pages."""
    path = path_of(scope)
    if not path.startswith("/v1/"):
        return None
    report = _REPORT.fullmatch(path) is not None and scope["method"] == "PUT"
    if path == _BY_IMAGE or (not report and path.startswith(_UPLOADS) and scope["method"] in {"PUT", "POST"}):
        return "uploads"
    if not report and path not in _QUESTIONS:
        return "reads"
    length = Headers(scope=scope).get("content-length", "")
    return "long_questions" if length.isdecimal() and int(length) > LONG_BYTES else "questions"


class _LaneMetrics(Collector):
    def __init__(self, lanes: Mapping[LaneName, Lane]) -> None:
        self._lanes = lanes

    def collect(self) -> Iterator[Metric]:
        at_work = GaugeMetricFamily("chex_requests_at_work", "Requests at work, by lane.", labels=["lane"])
        waiting = GaugeMetricFamily("chex_requests_waiting", "Requests that wait for a place.", labels=["lane"])
        refused = CounterMetricFamily("chex_requests_refused", "Requests refused with 429.", labels=["lane"])
        for name, lane in self._lanes.items():
            at_work.add_metric([name], lane.at_work)
            waiting.add_metric([name], lane.waiting)
            refused.add_metric([name], lane.refused)
        yield from (at_work, waiting, refused)
