"""Requests that two readers could read in two ways, and browsers that are made to ask."""

import pytest

from tests.attacks.conftest import is_refused, target_with

pytestmark = pytest.mark.slow


async def test_two_keys_in_one_request_are_refused_whichever_holds(tmp_path, make):
    key, other = make(), make("retrieve")
    async with target_with(tmp_path) as target:
        for headers in (
            [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {other}")],
            [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")],
            [("X-API-Key", str(key)), ("X-API-Key", str(other))],
            [("Authorization", f"Bearer {key}"), ("X-API-Key", str(other))],
            [("Authorization", f"Bearer {other}"), ("x-api-key", "")],
        ):
            is_refused(await target.client.get("/v1/models", headers=headers), 400, "invalid_request")
        assert target.reached() == 0
        same = {"Authorization": f"Bearer {key}", "X-API-Key": str(key)}
        assert (await target.client.get("/v1/models", headers=same)).status_code == 200


@pytest.mark.parametrize(
    "value",
    ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", "{key}", "Bearer {key} {key}", "Bearer\u00a0{key}", "Digest {key}"],
)
async def test_other_ways_to_send_a_key_are_refused(target, make, value):
    headers = [(b"authorization", value.format(key=make()).encode("latin-1"))]
    is_refused(await target.client.get("/v1/models", headers=headers), 401, "invalid_token")


@pytest.mark.parametrize("where", ["?api_key={key}", "?access_token={key}"])
async def test_key_in_an_address_is_no_key(target, make, where):
    is_refused(await target.get(path="/v1/models" + where.format(key=make())), 401)


LOCAL = ["localhost", "localhost:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:9", "LOCALHOST"]
FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "evil.example#localhost",
    "127.0.0.2",
    "0.0.0.0",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "localhost:8000:evil",
    "localhost,evil.example",
    "localhost evil.example",
    "",
]


@pytest.mark.parametrize("host", LOCAL)
async def test_without_keys_this_machine_is_answered(tmp_path, host):
    async with target_with(tmp_path) as target:
        assert (await target.get(Host=host)).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/v1/models", "/healthz", "/docs"])
async def test_without_keys_a_name_that_was_rebound_to_this_machine_is_not_answered(tmp_path, host, path):
    async with target_with(tmp_path) as target:
        is_refused(await target.get(path=path, Host=host), 421)
        is_refused(await target.get(path=path, Host=host, **{"X-Forwarded-Host": "localhost"}), 421)
        assert target.reached() == 0


async def test_without_keys_two_hosts_are_as_good_as_none(tmp_path):
    async with target_with(tmp_path) as target:
        two = [("Host", "localhost"), ("Host", "evil.example")]
        is_refused(await target.client.get("/v1/models", headers=two), 421)


ORIGINS = [
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://localhost@evil.example",
    "http://evil.example@localhost",
    "http://evil.example/localhost",
    "http://[",
    "//localhost",
    "evil://localhost",
    "file://",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_without_keys_a_page_from_elsewhere_writes_nothing(tmp_path, origin):
    async with target_with(tmp_path, host="localhost") as target:
        headers = {"Origin": origin, "Content-Type": "text/plain"}
        refused = await target.client.post("/v1/images", content=b"x", headers=headers)
        is_refused(refused, 403)
        assert target.reached() == 0


async def test_without_keys_a_page_of_our_own_is_answered(tmp_path):
    async with target_with(tmp_path, host="localhost") as target:
        assert (await target.get(Origin="http://localhost:8000")).status_code == 200


PREFLIGHT = {"Origin": "https://viewer.example", "Access-Control-Request-Method": "POST"}


async def test_pages_of_other_origins_may_call_only_where_they_are_named(tmp_path, make):
    key = make()
    async with target_with(tmp_path) as target:
        refused = await target.client.options("/v1/retrieve", headers=PREFLIGHT)
        assert refused.status_code == 401
        answered = await target.get(key, Origin="https://viewer.example")
        assert "access-control-allow-origin" not in {**refused.headers, **answered.headers}
    async with target_with(tmp_path, cors_origins="https://viewer.example") as target:
        allowed = await target.client.options("/v1/retrieve", headers=PREFLIGHT)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://viewer.example")
        other = await target.client.options("/v1/retrieve", headers=PREFLIGHT | {"Origin": "https://evil.example"})
        assert (other.status_code, "access-control-allow-origin" in other.headers) == (400, False)
        answered = await target.get(key, Origin="https://viewer.example")
        assert answered.headers["access-control-allow-origin"] == "https://viewer.example"
        is_refused(await target.get(Origin="https://viewer.example"), 401)
