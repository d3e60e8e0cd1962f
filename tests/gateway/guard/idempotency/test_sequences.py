"""Whatever comes in whatever order, with failures and restarts between: by one key one thing is done once."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.gateway.fakes import FakeClassifier, FakeIndex, gateway_over, problem

pytestmark = pytest.mark.slow

KEYS = st.sampled_from(["one", "two"])
BODIES = st.sampled_from([b"pixels", b"other pixels"])
FAILURES = {
    "well": None,
    "conflict": problem(409, "conflict"),
    "down": httpx.ConnectError("gone"),
    "answer lost": "answer lost",
}


class Requests(RuleBasedStateMachine):
    """The model: which body each key was answered for, and with what."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="gateway-"))
        self.index = FakeIndex()
        self.answered: dict[str, tuple[bytes, httpx.Response]] = {}
        self.done: list[bytes] = []
        self.stack = AsyncExitStack()
        self.runner.run(self._start())

    async def _start(self) -> None:
        app = gateway_over(FakeClassifier(), self.index, gateway_dir=self.folder)
        await self.stack.enter_async_context(app.router.lifespan_context(app))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")
        self.client = await self.stack.enter_async_context(client)

    @rule(key=KEYS, body=BODIES, index=st.sampled_from(sorted(FAILURES)))
    def send(self, key: str, body: bytes, index: str) -> None:
        headers = {"Content-Type": "image/png", "Idempotency-Key": key}
        before = len(self.index.requests)
        self.index.script = [] if FAILURES[index] is None else [self._fails(FAILURES[index])] * 2
        response = self.runner.run(self.client.post("/v1/images", content=body, headers=headers))
        reached = len(self.index.requests) > before
        if key in self.answered:
            first_body, first = self.answered[key]
            assert not reached
            if body == first_body:
                assert (response.status_code, response.content) == (first.status_code, first.content)
                assert response.headers["idempotency-replayed"] == "true"
            else:
                assert response.json()["type"] == "urn:chexretriever:idempotency-key-reused"
            return
        assert reached
        assert response.is_success == (index == "well")
        if response.is_success:
            self.answered[key] = (body, response)
            self.done.append(body)

    def _fails(self, failure):
        async def fail(request: httpx.Request) -> httpx.Response:
            await request.aread()
            if failure == "answer lost":  # it is done, and nobody hears of it
                self.index.answer(request)
                raise httpx.ReadError("gone")
            if isinstance(failure, Exception):
                raise failure
            return failure

        return fail

    @rule()
    def restart(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.run(self._start())

    @rule()
    def delete_all(self) -> None:
        """What was deleted does not come back by a late repetition: `send` finds that it reaches no service."""
        self.index.images.clear()
        self.done.clear()

    @invariant()
    def everything_acknowledged_is_there(self) -> None:
        assert set(self.done) <= set(self.index.images.values())

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=20, stateful_step_count=15, deadline=None, derandomize=True)
