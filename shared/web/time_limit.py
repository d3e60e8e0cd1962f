"""Bounds the time of every request: its body must come, and its answer must be made, before its deadline."""

import asyncio
import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.deadline import HEADER, Deadline
from shared.errors import DeadlineExceeded, RequestTimeout
from shared.web.body import BODY_IDLE_S
from shared.web.problems import error_response

_FEW_DIGITS = re.compile("[0-9]{1,9}")
_GRACE_S = 0.25  # whoever waits for a part of the system notices first, and says which part it was


def deadline_of(request: Request) -> Deadline:
    """The one that `TimeLimit` has set."""
    deadline: Deadline = request.state.deadline
    return deadline


class TimeLimit:
    """Ends the work on a request at its deadline, or once its caller has gone, by cancelling it.

    `limit_s(scope)`: seconds that a request may take, its body included. With `inherited`, it may take no longer than
    HEADER says. A body of which nothing comes for BODY_IDLE_S is not awaited any longer.
    """

    def __init__(self, app: ASGIApp, limit_s: Callable[[Scope], float], *, inherited: bool) -> None:
        self.app = app
        self._limit_s = limit_s
        self._inherited = inherited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["deadline"] = self._deadline(scope)
        caller = state.get("caller")
        if caller is None:
            await self._within(state["deadline"], scope, receive, send)
        elif not caller.gone:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - an app is always run by a task
            try:
                with caller.tells(task.cancel):
                    await self._within(state["deadline"], scope, receive, send)
            except asyncio.CancelledError:
                if not caller.gone:
                    raise
                task.uncancel()  # there is nobody left to answer

    def _deadline(self, scope: Scope) -> Deadline:
        deadline = Deadline(self._limit_s(scope), since=scope["state"].get("began_at"))
        left_ms = Headers(scope=scope).get(HEADER, "") if self._inherited else ""
        return deadline.capped(int(left_ms) / 1000) if _FEW_DIGITS.fullmatch(left_ms) else deadline

    async def _within(self, deadline: Deadline, scope: Scope, receive: Receive, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        ends = clock() + deadline.left_s() + _GRACE_S
        body_complete, started = not _has_body(scope), False

        async def awaited_receive() -> Message:
            nonlocal body_complete
            if body_complete:
                return await receive()
            limit.reschedule(min(ends, clock() + BODY_IDLE_S))
            message = await receive()
            limit.reschedule(ends)
            body_complete = not message.get("more_body", False)
            return message

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout_at(ends) as limit:
                await self.app(scope, awaited_receive, watched_send)
        except TimeoutError:
            if not limit.expired():
                raise
            if started:
                await _cut_off(scope)
                return
            if body_complete:
                late = DeadlineExceeded("The request was not answered in time.")
                await error_response(late)(scope, receive, send)
            else:
                await too_late_a_body(scope, receive, send)


async def _cut_off(scope: Scope) -> None:
    """A caller that does not take its answer in time. Without one (in a test), nothing can be done."""
    caller = scope["state"].get("caller")
    if caller is not None:
        caller.cut_off()
        while not caller.gone:  # noqa: ASYNC110 - a turn of the loop or two
            await asyncio.sleep(0)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def too_late_a_body(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a caller that does not send its body in time."""
    response = error_response(RequestTimeout("The body did not arrive in time: send it whole, without long pauses."))
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
