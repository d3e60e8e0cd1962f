"""Keys that are wrong, over, made up or guessed."""

import asyncio
import dataclasses
import statistics
import time

import pytest

from gateway.guard.caller import RIGHTS
from gateway.guard.keys import check, store
from gateway.guard.keys.check import hash_of
from gateway.guard.keys.key import Key, new_key
from gateway.guard.keys.ring import LOOK_EVERY_S
from tests.attacks.conftest import is_refused, target_with

pytestmark = pytest.mark.slow


async def test_without_a_key_nothing_but_what_is_open_is_answered(target):
    refused = await target.get()
    is_refused(refused, 401)
    assert refused.headers["www-authenticate"] == 'Bearer realm="chexretriever"'
    for path in ("/healthz", "/docs", "/openapi.json"):
        assert (await target.get(path=path)).status_code == 200
    assert target.reached() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        "chex_",
        "chex_0123456789ab_" + "A" * 43,
        "chex_0123456789ab_" + "A" * 42,
        "CHEX_0123456789ab_" + "A" * 43,
        "chex_../../etc/pa_" + "A" * 43,
        "chex_' OR 1=1 --_" + "A" * 43,
        "null",
        "eyJhbGciOiJub25lIn0.e30.",
        "A" * 30_000,
    ],
)
async def test_what_is_no_key_of_ours_is_a_401(target, wrong):
    is_refused(await target.get(wrong), 401, "invalid_token")
    assert wrong not in (await target.get(wrong)).text
    assert target.reached() == 0


async def test_key_holds_in_either_header_and_a_wrong_secret_does_not(target, make):
    key = make()
    await asyncio.sleep(LOOK_EVERY_S)
    assert (await target.get(key)).status_code == 200
    assert (await target.client.get("/v1/models", headers={"X-API-Key": str(key)})).status_code == 200
    is_refused(await target.get(key._replace(secret=new_key().secret)), 401, "invalid_token")
    is_refused(await target.get(new_key()._replace(secret=key.secret)), 401, "invalid_token")


async def test_key_that_is_made_holds_within_a_second_and_one_revoked_no_longer(target, make, keys):
    key = make()
    await asyncio.sleep(LOOK_EVERY_S)
    assert (await target.get(key)).status_code == 200
    keys.revoke(key.id, time.time())
    await asyncio.sleep(LOOK_EVERY_S)
    revoked = await target.get(key)
    is_refused(revoked, 401, "invalid_token")
    assert revoked.json()["detail"] == f"The key {key.id} was revoked."


async def test_key_ends_at_its_hour_though_it_was_used_before(target, make):
    key = make(expires_at=time.time() + 1.5)
    await asyncio.sleep(LOOK_EVERY_S)
    assert (await target.get(key)).status_code == 200
    await asyncio.sleep(1.2)
    expired = await target.get(key)
    is_refused(expired, 401, "invalid_token")
    assert expired.json()["detail"] == f"The key {key.id} has expired."


async def test_who_does_not_have_the_secret_does_not_learn_that_a_key_was_revoked(target, make, keys):
    key = make()
    keys.revoke(key.id, time.time())
    await asyncio.sleep(LOOK_EVERY_S)
    guessed = await target.get(key._replace(secret=new_key().secret))
    unknown = await target.get(new_key())
    assert guessed.json()["detail"] == unknown.json()["detail"]


async def test_revoking_the_last_key_opens_nothing(tmp_path, make, keys):
    keys.revoke(make().id, time.time())
    async with target_with(tmp_path, host="localhost") as target:
        is_refused(await target.get(), 401)


async def test_unknown_ids_and_wrong_secrets_take_equally_long(target, make):
    key = make()
    await asyncio.sleep(LOOK_EVERY_S)
    await target.get(new_key())  # what the first of them makes is made
    took: dict[str, list[float]] = {"unknown": [], "wrong": []}
    for _ in range(12):
        for kind, times in took.items():
            sent = new_key() if kind == "unknown" else key._replace(secret=new_key().secret)
            started = time.perf_counter()
            is_refused(await target.get(sent), 401)
            times.append(time.perf_counter() - started)
    unknown, wrong = map(statistics.median, took.values())
    assert 0.7 < unknown / wrong < 1.4, (unknown, wrong)


async def test_a_flood_of_guesses_is_refused_and_callers_with_keys_are_served_meanwhile(target, make):
    used, unused = make(), make()
    await asyncio.sleep(LOOK_EVERY_S)
    assert (await target.get(used)).status_code == 200
    guesses = [asyncio.create_task(target.get(new_key())) for _ in range(200)]
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    assert (await target.get(used)).status_code == 200
    assert time.perf_counter() - started < 0.3
    assert (await target.get(unused)).status_code == 200  # though argon2 must be asked
    outcomes = await asyncio.gather(*guesses)
    statuses = [response.status_code for response in outcomes]
    assert set(statuses) == {401, 429}
    assert statuses.count(429) > 150
    assert all(response.headers["retry-after"] == "1" for response in outcomes if response.status_code == 429)


async def test_a_flood_of_guesses_at_one_key_keeps_no_other_key_out(target, make):
    guessed, unused = make(), make()
    await asyncio.sleep(LOOK_EVERY_S)
    guesses = [asyncio.create_task(target.get(guessed._replace(secret=new_key().secret))) for _ in range(100)]
    await asyncio.sleep(0.05)
    assert (await target.get(unused)).status_code == 200
    await asyncio.gather(*guesses)


async def test_a_key_that_has_ended_costs_no_argon2_each_time_that_it_comes(target, make, keys, monkeypatch):
    key = make()
    await asyncio.sleep(LOOK_EVERY_S)
    assert (await target.get(key)).status_code == 200
    keys.revoke(key.id, time.time())
    await asyncio.sleep(LOOK_EVERY_S)
    is_refused(await target.get(key), 401)
    asked = []
    monkeypatch.setattr(check, "_matches", lambda *_: asked.append(1))
    for _ in range(3):
        is_refused(await target.get(key), 401)
    assert not asked


async def test_many_that_come_at_once_with_a_new_key_are_all_served(target, make):
    key = make()
    await asyncio.sleep(LOOK_EVERY_S)
    answers = await asyncio.gather(*(target.get(key) for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}


async def test_ten_thousand_keys_cost_no_request_more(tmp_path, keys, make):
    async def median_s() -> float:
        key = make()
        async with target_with(tmp_path) as target:
            took = []
            for _ in range(80):
                started = time.perf_counter()
                assert (await target.get(key, "/v1/nothing")).status_code == 404
                took.append(time.perf_counter() - started)
        return statistics.median(took)

    few_s = await median_s()
    one = Key("", "many", frozenset(RIGHTS), hash_of("x"), None, time.time())
    with keys._writing() as database:
        for _ in range(10_000):
            store._insert(database, dataclasses.replace(one, id=new_key().id))
    assert await median_s() < 1.5 * few_s + 0.001


async def test_rate_of_a_key_is_kept_and_another_key_has_its_own(target, make):
    slow, free = make(rate="3/minute"), make()
    await asyncio.sleep(LOOK_EVERY_S)
    answers = [await target.get(slow) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["type"] == "urn:chexretriever:rate-limited"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert (await target.get(free)).status_code == 200
    more = await asyncio.gather(*(target.get(slow) for _ in range(40)))
    assert {answer.json()["type"] for answer in more} == {"urn:chexretriever:rate-limited"}
