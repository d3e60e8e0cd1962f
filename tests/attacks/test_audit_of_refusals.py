"""Who was refused is in the audit, by the name that is known of them and no other."""

from gateway.guard.keys.key import new_key
from tests.attacks.conftest import target_with
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
