"""Every error that the system knows, provoked at a gateway: each is a problem of its own type, status and headers."""

import asyncio

import httpx
import pytest

from gateway.guard.caller import RIGHTS
from shared import errors
from shared.errors import ServiceError
from tests.attacks.conftest import Target, target_with
from tests.gateway.fakes import problem

PNG = {"Content-Type": "image/png"}
ONCE = PNG | {"Idempotency-Key": "one"}
ASK = ("POST", "/v1/search")
PUT = ("PUT", "/v1/images/a")


async def slow_body():
    yield b'{"labels": '
    await asyncio.sleep(5)


def said_by(kind: str, status: int, **headers: str):
    """A service says so, and it is handed on."""
    return lambda index: index.script.append(problem(status, kind, headers=headers))


async def never(_request: httpx.Request) -> httpx.Response:
    await asyncio.sleep(5)
    return httpx.Response(500)


def fault(raised: object):
    return lambda index: index.script.extend([raised, raised])


# Of each type: what the index is made to do, and the request.
PROVOKED = {
    "bad-request": (None, ("POST", "/v1/images"), {"content": b"x", "headers": PNG | {"Idempotency-Key": ""}}),
    "not-found": (None, ("GET", "/v1/images/none"), {}),
    "request-timeout": (None, ASK, {"content": slow_body(), "headers": {"Content-Type": "application/json"}}),
    "conflict": (said_by("conflict", 409), PUT, {"content": b"x", "headers": PNG}),
    "payload-too-large": (None, PUT, {"content": b"x" * 5000, "headers": PNG}),
    "unsupported-media-type": (None, ASK, {"content": b"{}", "headers": PNG}),
    "invalid-input": (None, ASK, {"json": {"labels": ["Gout"]}}),
    "not-a-chest-radiograph": (said_by("not-a-chest-radiograph", 422), PUT, {"content": b"x", "headers": PNG}),
    "burned-in-text": (said_by("burned-in-text", 422), PUT, {"content": b"x", "headers": PNG}),
    "overloaded": (said_by("overloaded", 429, **{"retry-after": "1"}), ASK, {"json": {"labels": ["Edema"]}}),
    "upstream-failed": (fault(httpx.Response(200, json={})), ASK, {"json": {"labels": ["Edema"]}}),
    "unavailable": (fault(httpx.ConnectError("down")), ASK, {"json": {"labels": ["Edema"]}}),
    "deadline-exceeded": (fault(never), ASK, {"json": {"labels": ["Edema"]}}),
}
# By several requests, or by who asks: each has a test below.
AT_THE_DOOR = {"unauthenticated", "forbidden", "misdirected", "rate-limited", "still-at-work", "idempotency-key-reused"}
ELSEWHERE = {
    "head-too-large",  # before there is a request: tests/shared/web/test_connections.py
    "inference-failed",  # a service's: the gateway says upstream-failed. tests/gateway/upstream/test_client.py
    "internal-error",  # for what nobody foresaw: tests/shared/web/test_app.py
}


def every_error() -> dict[str, type[ServiceError]]:
    found = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ServiceError)]
    return {each.type.removeprefix("urn:chexretriever:"): each for each in found}


def is_problem(response: httpx.Response, kind: str) -> None:
    error = every_error()[kind]
    assert (response.json()["type"], response.status_code) == (error.type, error.status), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert ("retry-after" in response.headers) == (error.status in {429, 503} or kind == "still-at-work")
    assert ("www-authenticate" in response.headers) == (error.status in {401, 403})


def test_no_error_is_left_out():
    assert set(PROVOKED) | AT_THE_DOOR | ELSEWHERE == set(every_error())


@pytest.mark.parametrize("kind", PROVOKED)
async def test_each_error_is_a_problem_of_its_type(make, tmp_path, kind):
    provoke, (method, path), sent = PROVOKED[kind]
    key = make()
    limits = {"request_timeout_s": 0.4, "upload_timeout_s": 0.4, "max_upload_bytes": 4096}
    async with target_with(tmp_path, **limits) as target:
        if provoke is not None:
            provoke(target.index)
        headers = sent.get("headers", {}) | {"X-API-Key": str(key)}
        is_problem(await target.client.request(method, path, **{**sent, "headers": headers}), kind)


async def test_whoever_is_not_known_or_may_not_is_told_so(make, tmp_path):
    key = make("retrieve", rate="1/minute")
    async with target_with(tmp_path) as target:
        is_problem(await target.get(), "unauthenticated")
        is_problem(await target.client.delete("/v1/images/a", headers={"X-API-Key": str(key)}), "forbidden")
        is_problem(await target.get(key), "rate-limited")
    async with target_with(tmp_path / "open", host="elsewhere") as target:
        is_problem(await target.get(), "misdirected")


async def test_a_key_of_repetition_is_of_one_request(make, tmp_path):
    key = {"X-API-Key": str(make(*RIGHTS))}
    async with target_with(tmp_path) as target:
        await held(target, key)
        await target.client.post("/v1/images", content=b"x", headers=ONCE | key)
        is_problem(await target.client.post("/v1/images", content=b"y", headers=ONCE | key), "idempotency-key-reused")


async def held(target: Target, key: dict[str, str]) -> None:
    """One request is at work while the same comes again."""
    reached, opened = asyncio.Event(), asyncio.Event()

    async def wait(request: httpx.Request) -> httpx.Response:
        reached.set()
        await opened.wait()
        return problem(503, "unavailable")

    target.index.script.append(wait)
    first = asyncio.create_task(target.client.post("/v1/images", content=b"x", headers=ONCE | key))
    await reached.wait()
    is_problem(await target.client.post("/v1/images", content=b"x", headers=ONCE | key), "still-at-work")
    opened.set()
    await first
