"""A gateway that asks for keys and tokens, over services that are made up; what it lets through reaches them."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.guard.caller import RIGHTS
from gateway.guard.keys.check import hash_of
from gateway.guard.keys.key import Key, Written, new_key
from gateway.guard.keys.store import KeyFile
from tests.attacks.issuer import AUDIENCE, Issuer, running_issuer
from tests.gateway.fakes import FakeClassifier, FakeIndex, gateway_over


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def keys(tmp_path) -> KeyFile:
    return KeyFile(tmp_path)


@pytest.fixture
def make(keys) -> Callable[..., Written]:
    """Makes a key, and gives it as it is written."""

    def make(*rights: str, name: str = "test", **more: Any) -> Written:
        written = new_key()
        rate = more.pop("rate", None)
        rights = frozenset(rights or RIGHTS)
        keys.add(Key(written.id, name, rights, hash_of(written.secret), rate, time.time(), **more))
        return written

    return make


class Target:
    """The gateway under attack, and what of it reached the services."""

    def __init__(self, client: httpx.AsyncClient, classifier: FakeClassifier, index: FakeIndex) -> None:
        self.client = client
        self.index = index
        self._services = (classifier, index)

    def reached(self) -> int:
        return sum(len(service.requests) for service in self._services)

    async def get(self, credential: object = None, path: str = "/v1/models", **headers: str) -> httpx.Response:
        if credential is not None:
            headers["Authorization"] = f"Bearer {credential}"
        return await self.client.get(path, headers=headers)


@asynccontextmanager
async def target_with(folder: Path, host: str = "gateway", **settings: Any) -> AsyncIterator[Target]:
    classifier, index = FakeClassifier(), FakeIndex()
    app = gateway_over(classifier, index, **{"auth": "on", "gateway_dir": folder, **settings})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=f"http://{host}"))
        yield Target(client, classifier, index)


@pytest.fixture
async def target(tmp_path, make) -> AsyncIterator[Target]:
    """It has a key, so that it asks for one."""
    make(name="the first")
    async with target_with(tmp_path) as target:
        yield target


@pytest.fixture
async def token_target(tmp_path, issuer) -> AsyncIterator[Target]:
    async with target_with(tmp_path, oidc_issuer=issuer.url, oidc_audience=AUDIENCE) as target:
        yield target


def is_refused(response: httpx.Response, status: int, error: str | None = None) -> None:
    """A problem of its own type, with the challenge that goes with it."""
    kinds = {400: "bad-request", 401: "unauthenticated", 403: "forbidden", 421: "misdirected"}
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:chexretriever:{kinds[status]}"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    if error is not None:
        challenge = response.headers["www-authenticate"]
        assert challenge.startswith('Bearer realm="chexretriever"')
        assert f'error="{error}"' in challenge
