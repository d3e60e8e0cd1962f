"""Who was refused is in the audit, by the name that is known of them and no other."""

import asyncio

import httpx
import pytest

from gateway.guard.identity import MOST_STRANGERS_A_SECOND
from gateway.guard.keys.key import new_key
from tests.attacks.conftest import is_refused, target_with
from tests.gateway.guard.audit.audits import lines_of


def told(tmp_path) -> list[tuple[str, str]]:
    lines = lines_of(tmp_path / "audit")
    return [
        (agent["who"]["identifier"]["value"], line["outcomeDesc"])
        for line in lines
        for agent in line["agent"]
        if agent["requestor"]
    ]


async def test_each_refusal_is_one_line_of_who_it_was(make, tmp_path):
    one, other = make("ingest"), make("delete")
    async with target_with(tmp_path) as target:
        for credential in (None, new_key(), one):
            await target.get(credential, path="/v1/images/image-1")
        assert target.reached() == 0
        await target.client.delete("/v1/images/image-1", headers={"X-API-Key": str(other)})
    assert told(tmp_path) == [
        ("anyone", "HTTP 401"),
        ("anyone", "HTTP 401"),
        (one.id, "HTTP 403"),
        (other.id, "HTTP 204"),
    ]


async def test_a_flood_of_strangers_does_not_fill_the_audit_and_whoever_is_known_is_served(make, tmp_path):
    key = make("retrieve")
    async with target_with(tmp_path) as target:
        flood = [
            asyncio.create_task(target.get(path="/v1/images/image-1")) for _ in range(20 * MOST_STRANGERS_A_SECOND)
        ]
        answers = await asyncio.gather(*flood)
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {answer.status_code for answer in answers} == {401, 429}
        assert len(refused) > len(answers) / 2
        assert all(answer.headers["retry-after"] for answer in refused)
        assert (await target.get(key, path="/v1/images/none")).status_code == 404
        await asyncio.sleep(1)
        is_refused(await target.get(path="/v1/images/image-1"), 401)
    assert [who for who, _ in told(tmp_path)].count("anyone") == len(answers) - len(refused) + 1


@pytest.mark.parametrize("address", ["Doe, Jane", "10.0.0.7\n{}", "fe80::1%Doe", "9" * 30_000, ""])
async def test_what_a_proxy_calls_an_address_is_written_down_only_if_it_is_one(make, tmp_path, address):
    key = make("retrieve")
    async with target_with(tmp_path) as target:
        app = target.client._transport.app
        for client in (address, "2001:db8::7"):
            transport = httpx.ASGITransport(app, client=(client, 0))
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as caller:
                await caller.get("/v1/images/image-1", headers={"X-API-Key": str(key)})
    addresses = [line["agent"][0]["network"]["address"] for line in lines_of(tmp_path / "audit")]
    assert addresses == ["unknown", "2001:db8::7"]
