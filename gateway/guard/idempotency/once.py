"""A request with an Idempotency-Key is answered once; whoever sends it again gets that answer again."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Header, Request, Response

from gateway.guard.audit.notes import notes_of
from gateway.guard.caller import caller_of
from gateway.guard.idempotency.fingerprint import Fingerprint, FingerprintedBody
from gateway.guard.idempotency.kept_answers import Answer, KeptAnswers
from shared.errors import BadRequest, IdempotencyKeyReused, StillAtWork
from shared.web.strict_route import StrictRoute

HEADER = "idempotency-key"
REPLAYED = "Idempotency-Replayed"
_KEPT_HEADERS = ("content-type", "location")
_PATTERN = "[!-~](?:[ -~]{0,253}[!-~])?"  # printable ASCII: 1 to 255 characters
_KEY = re.compile(_PATTERN)

Handle = Callable[[Request], Awaitable[Response]]


class Once:
    """The dependency by which a route declares that it takes the header; its routes are of OnceRoute.

    An answer is kept if it is a success. By any other nothing was written, and the request may be sent again as it is,
    or mended, under the same key.
    """

    def __init__(self, kept: KeptAnswers) -> None:
        self._kept = kept
        self._at_work: set[tuple[str, str]] = set()

    async def __call__(
        self,
        idempotency_key: Annotated[
            str | None,
            Header(
                description="Names this request, so that it may be sent again safely: the first answer comes again, "
                f"with `{REPLAYED}: true`, and nothing is done twice. A new random one for each request, such as a "
                "UUID.",
                examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
                json_schema_extra={"pattern": f"^{_PATTERN}$"},
            ),
        ] = None,
    ) -> None:
        """Documents the header, which `answer` has read by then."""

    async def answer(self, request: Request, handle: Handle) -> Response:
        """What `handle` makes of the request, or had made of it before.

        Raises BadRequest, StillAtWork, IdempotencyKeyReused, Unavailable, and what `handle` raises.
        """
        key = _key_of(request)
        if key is None:
            return await handle(request)
        caller = caller_of(request.scope).name
        with self._working_on(caller, key):
            first = await self._kept.begin(caller, key)
            if first is None:
                return await self._first_answer(request, handle, caller, key)
        if await self._fingerprint(request).whole() != first.request:
            raise IdempotencyKeyReused(
                "This Idempotency-Key came before with another request. Nothing was done: send a new key."
            )
        notes_of(request.scope).name_again(first.named)
        return Response(first.body, first.status, {**first.headers, REPLAYED: "true"})

    async def _first_answer(self, request: Request, handle: Handle, caller: str, key: str) -> Response:
        body = self._fingerprint(request)
        response = await handle(Request(request.scope, body.receive))
        if response.status_code < 300:
            headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
            named = notes_of(request.scope).named()
            answer = Answer(await body.whole(), response.status_code, headers, bytes(response.body), named)
            await self._kept.keep(caller, key, answer)
        return response

    def _fingerprint(self, request: Request) -> FingerprintedBody:
        return FingerprintedBody(request.receive, Fingerprint(self._kept.secret, request.scope))

    @contextmanager
    def _working_on(self, caller: str, key: str) -> Iterator[None]:
        """Raises StillAtWork. Ends with the work, however that ends."""
        if (caller, key) in self._at_work:
            raise StillAtWork("The request with this Idempotency-Key is still at work: send it again for its answer.")
        self._at_work.add((caller, key))
        try:
            yield
        finally:
            self._at_work.remove((caller, key))


class OnceRoute(StrictRoute):
    """A route that answers once where one of its `dependencies` is a Once."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        once = next((each.dependency for each in self.dependencies if isinstance(each.dependency, Once)), None)
        if once is None:
            return handle

        async def handle_once(request: Request) -> Response:
            return await once.answer(request, handle)

        return handle_once


def _key_of(request: Request) -> str | None:
    """Raises BadRequest."""
    keys = request.headers.getlist(HEADER)
    if not keys:
        return None
    if len(keys) > 1:
        raise BadRequest("Send one Idempotency-Key, not several.")
    key = keys[0].strip(" \t")
    if not _KEY.fullmatch(key):
        raise BadRequest("An Idempotency-Key is 1 to 255 printable ASCII characters, such as a UUID.")
    return key
