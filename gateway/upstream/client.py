"""One call to a service behind the gateway: deadline, one retry, and every way it can fail turned into an answer."""

import asyncio
import random
from collections.abc import Callable
from typing import ClassVar, TypeVar

import httpx
import structlog
from asgi_correlation_id import correlation_id
from pydantic import BaseModel, ValidationError

from gateway.upstream.http import Http
from gateway.upstream.refusal import Refused
from gateway.upstream.templates import template_of
from shared.deadline import HEADER, Deadline
from shared.errors import DeadlineExceeded, Overloaded, Unavailable, UpstreamFailed
from shared.schemas.system import Check, ModelDetails, Problem, Readiness
from shared.telemetry import TRACEPARENT, current_span, measure

log = structlog.get_logger("gateway")

Answer = TypeVar("Answer", bound=BaseModel)

RETRY_DELAY_S = (0.05, 0.15)


class ServiceClient:
    """What both services have in common. `timeout_s` bounds each call, the caller's deadline all of them.

    Calls raise Unavailable (not reachable, or not now), DeadlineExceeded, UpstreamFailed (an answer outside the
    contract), each naming `part`; and Refused where the service says what is wrong with the request itself.
    """

    part: ClassVar[str]

    def __init__(self, http: Http, *, timeout_s: float = 8.0) -> None:
        self._http = http
        self._timeout_s = timeout_s

    async def model(self, deadline: Deadline) -> ModelDetails:
        return self._read(ModelDetails, await self._call(self._http.request("GET", "/v1/model"), deadline))

    async def readiness(self, timeout_s: float) -> Check:
        """Whether the service says that it is ready; why not, otherwise. Raises nothing."""
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._http.send(self._http.request("GET", "/readyz"))
            found = Readiness.model_validate_json(response.content)
            wanting = [check for check in found.checks if not check.ready or check.writes is False]
            detail = "; ".join(f"{check.part}: {check.detail or 'not ready'}" for check in wanting) or None
            return Check(
                part=self.part, ready=all(check.ready for check in wanting), writes=found.writes, detail=detail
            )
        except TimeoutError:
            detail = f"No answer within {timeout_s:g} s."
        except httpx.TransportError:
            detail = "Cannot be reached."
        except (httpx.DecodingError, ValidationError):
            detail = "What answers at its address is not this service."
        return Check(part=self.part, ready=False, detail=detail)

    async def _call(
        self,
        request: httpx.Request,
        deadline: Deadline,
        *,
        timeout_s: float | None = None,
        may_repeat: Callable[[], bool] = lambda: True,
    ) -> httpx.Response:
        """The answer to `request`: a success, or 304.

        Sent once more, if `may_repeat` allows and there is time, when no answer came or the answer was 503.
        """
        traced = current_span() is not None
        with measure(self.part, f"{request.method} {template_of(request.url.path)}" if traced else None, "client"):
            span = current_span()
            if span is not None:
                request.headers[TRACEPARENT] = span.traceparent
            return await self._answer(request, deadline.capped(timeout_s or self._timeout_s), may_repeat)

    async def _answer(
        self, request: httpx.Request, deadline: Deadline, may_repeat: Callable[[], bool]
    ) -> httpx.Response:
        request.headers["X-Request-ID"] = correlation_id.get() or ""
        too_late = DeadlineExceeded(f"The {self.part} did not answer in time.", part=self.part)
        if deadline.left_s() <= 0:
            raise too_late
        try:
            async with asyncio.timeout(deadline.left_s()):
                response = await self._send_twice_at_most(request, deadline, may_repeat)
        except TimeoutError:
            log.warning("upstream_timeout", part=self.part)
            raise too_late from None
        except httpx.LocalProtocolError:
            raise self._failed("nothing: our request is not valid HTTP") from None
        except httpx.TransportError as error:
            log.warning("upstream_unreachable", part=self.part, error=type(error).__name__)
            raise Unavailable(f"The {self.part} cannot be reached.", part=self.part) from None
        except httpx.DecodingError:
            raise self._failed("an answer that cannot be decoded") from None
        if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
            return response
        raise self._error(response)

    async def _send_twice_at_most(
        self, request: httpx.Request, deadline: Deadline, may_repeat: Callable[[], bool]
    ) -> httpx.Response:
        delay_s = random.uniform(*RETRY_DELAY_S)

        def again() -> bool:
            return may_repeat() and delay_s < deadline.left_s()

        try:
            response = await self._send(request, deadline)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or not again():
                return response
        except httpx.LocalProtocolError:  # our own fault, and the same another time
            raise
        except httpx.TransportError:
            if not again():
                raise
        await asyncio.sleep(delay_s)
        return await self._send(request, deadline)

    async def _send(self, request: httpx.Request, deadline: Deadline) -> httpx.Response:
        request.headers[HEADER] = str(max(0, int(1000 * deadline.left_s())))
        return await self._http.send(request)

    def _read(self, model: type[Answer], response: httpx.Response) -> Answer:
        try:
            return model.model_validate_json(response.content)
        except ValidationError:
            raise self._failed(f"an answer that is no {model.__name__}") from None

    def _error(self, response: httpx.Response) -> Exception:
        status = response.status_code
        problem = _problem(response)
        retry_after_s = _retry_after_s(response)
        if status == Unavailable.status:
            detail = problem.detail if problem else f"The {self.part} cannot serve now."
            return Unavailable(detail, part=self.part, retry_after_s=retry_after_s or 2)
        if status == DeadlineExceeded.status:
            return DeadlineExceeded(f"The {self.part} was not done in time.", part=self.part)
        # A path or method that the service does not know is a fault between us, not the caller's.
        unknown_to_it = problem is not None and problem.type == "about:blank" and status in {404, 405}
        if problem is None or not response.is_client_error or unknown_to_it:
            return self._failed(f"status {status}")
        if status == Overloaded.status:
            problem.part = self.part
        return Refused(problem, retry_after_s)

    def _failed(self, answered_with: str) -> UpstreamFailed:
        log.error("upstream_failed", part=self.part, answered_with=answered_with)
        return UpstreamFailed(f"The {self.part} failed; the logs tell more under this request id.", part=self.part)


def _problem(response: httpx.Response) -> Problem | None:
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return None
    return problem if problem.status == response.status_code else None


def _retry_after_s(response: httpx.Response) -> int | None:
    value = response.headers.get("Retry-After", "")
    return int(value) if value.isdecimal() else None
