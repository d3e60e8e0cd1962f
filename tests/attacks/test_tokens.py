"""Bearer tokens that somebody else made, or that were made for something else."""

import asyncio
import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest

from gateway.guard.tokens import signing_keys
from tests.attacks.conftest import is_refused, target_with
from tests.attacks.issuer import AUDIENCE, Issuer, ec_key, jwk, public_pem, rsa_key

pytestmark = pytest.mark.slow


def unsigned(issuer: Issuer) -> str:
    return jwt.encode(issuer.claims(), None, algorithm="none", headers={"kid": "one"})


def signed_with_the_public_key(issuer: Issuer) -> str:
    """HS256, for whoever verifies with the public key as if it were a secret (CVE-2015-9235)."""

    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT", "kid": "one"}) + b"." + part(issuer.claims())
    signature = hmac.digest(public_pem(rsa_key("one")), signed, hashlib.sha256)
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def changed(issuer: Issuer) -> str:
    head, _, signature = issuer.token().split(".")
    claims = json.dumps(issuer.claims(scope="admin")).encode()
    return f"{head}.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.{signature}"


NOW = int(time.time())
BAD = {
    "unsigned": unsigned,
    "signed with the public key as a secret": signed_with_the_public_key,
    "changed after it was signed": changed,
    "another's key under a known id": lambda issuer: issuer.token(rsa_key("foreign")),
    "another key of the issuer, of another kind": lambda issuer: issuer.token(header={"kid": "curve"}),
    "without its signature": lambda issuer: issuer.token().rpartition(".")[0] + ".",
    "expired": lambda issuer: issuer.token(exp=NOW - 120),
    "not valid yet": lambda issuer: issuer.token(nbf=NOW + 600),
    "issued in the future": lambda issuer: issuer.token(iat=NOW + 600),
    "without an end": lambda issuer: issuer.token(exp=None),
    "for another audience": lambda issuer: issuer.token(aud="billing"),
    "for nobody": lambda issuer: issuer.token(aud=None),
    "of a foreign issuer": lambda issuer: issuer.token(iss="https://evil.example"),
    "of an issuer that is nearly ours": lambda issuer: issuer.token(iss=issuer.url + "/"),
    "without a subject": lambda issuer: issuer.token(sub=None),
    "with a subject that breaks a line": lambda issuer: issuer.token(sub="dr-1\n{}"),
    "kid: a path": lambda issuer: issuer.token(rsa_key("foreign"), header={"kid": "../../../../dev/null"}),
    "kid: SQL": lambda issuer: issuer.token(rsa_key("foreign"), header={"kid": "' UNION SELECT 'key' --"}),
    "kid: none of many": lambda issuer: issuer.token(header={}),
    "a key of its own in the header": lambda issuer: issuer.token(
        rsa_key("foreign"), header={"kid": "mine", "jwk": jwk(rsa_key("foreign"), "mine")}
    ),
    "an address of keys in the header": lambda issuer: issuer.token(
        rsa_key("foreign"), header={"kid": "mine", "jku": "http://127.0.0.1:9/jwks"}
    ),
    "an extension that must be understood": lambda issuer: issuer.token(
        header={"kid": "one", "crit": ["exp-v2"], "exp-v2": 1}
    ),
    "an algorithm that is not on the list": lambda issuer: issuer.token(algorithm="RS512"),
    "no token": lambda _issuer: "a.b.c",
    "nothing between the points": lambda _issuer: "..",
    "too long": lambda _issuer: "a" * 40_000,
}


@pytest.mark.parametrize("attack", BAD)
async def test_bad_token_is_a_401_and_reaches_nobody(token_target, issuer, attack):
    token = BAD[attack](issuer)
    refused = await token_target.get(token)
    is_refused(refused, 401, "invalid_token")
    assert token not in refused.text
    assert token_target.reached() == 0


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"), [("rsa", "RS256", "one"), ("rsa", "PS256", "one"), ("ec", "ES256", "curve")]
)
async def test_good_token_is_taken(token_target, issuer, key, algorithm, kid):
    private = rsa_key("one") if key == "rsa" else ec_key()
    token = issuer.token(private, algorithm=algorithm, header={"kid": kid})
    assert (await token_target.get(token)).status_code == 200


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "openid retrieve"}, 200),
        ({"scope": None, "scp": ["retrieve"]}, 200),
        ({"scope": None, "scp": "retrieve delete"}, 200),
        ({"scope": "ingest"}, 403),
        ({"scope": "retrieves"}, 403),
        ({"scope": ["retrieve", 7]}, 200),
        ({"scope": {"retrieve": True}}, 403),
        ({"scope": None, "roles": ["retrieve"]}, 403),
    ],
)
async def test_rights_come_from_scope_or_scp_alone(token_target, issuer, claims, status):
    assert (await token_target.get(issuer.token(**claims), "/v1/images")).status_code == status


async def test_rights_without_the_prefix_are_those_of_another_service(tmp_path, issuer):
    settings = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "oidc_right_prefix": "chex:"}
    async with target_with(tmp_path, **settings) as target:
        assert (await target.get(issuer.token(scope="retrieve"), "/v1/images")).status_code == 403
        assert (await target.get(issuer.token(scope="chex:retrieve"), "/v1/images")).status_code == 200


async def test_a_token_that_was_taken_once_is_not_taken_after_its_end(token_target, issuer, monkeypatch):
    monkeypatch.setattr("gateway.guard.tokens.check.LEEWAY_S", 0)
    token = issuer.token(exp=int(time.time()) + 2)
    assert (await token_target.get(token)).status_code == 200
    await asyncio.sleep(2.1)
    is_refused(await token_target.get(token), 401, "invalid_token")


async def test_new_key_of_the_issuer_is_fetched_and_one_withdrawn_holds_no_longer(token_target, issuer, monkeypatch):
    monkeypatch.setattr(signing_keys, "NOT_SOONER_S", 0.0)
    old = issuer.token()
    assert (await token_target.get(old)).status_code == 200
    issuer.keys = [jwk(rsa_key("two"), "two")]
    assert (await token_target.get(issuer.token(rsa_key("two"), header={"kid": "two"}))).status_code == 200
    is_refused(await token_target.get(old), 401, "invalid_token")


async def test_token_of_a_key_whose_id_became_another_keys_holds_no_longer(token_target, issuer, monkeypatch):
    monkeypatch.setattr(signing_keys, "NOT_SOONER_S", 0.0)
    old = issuer.token()
    for _ in range(2):  # from the second time on without a look at its signature
        assert (await token_target.get(old)).status_code == 200
    issuer.keys = [jwk(rsa_key("two"), "one"), jwk(ec_key(), "curve")]
    is_refused(await token_target.get(issuer.token(header={"kid": "unknown"})), 401)  # makes the gateway ask
    is_refused(await token_target.get(old), 401, "invalid_token")
    assert (await token_target.get(issuer.token(rsa_key("two")))).status_code == 200


async def test_key_that_is_withdrawn_ends_its_tokens_though_no_new_one_comes(token_target, issuer, monkeypatch):
    token = issuer.token()
    for _ in range(2):
        assert (await token_target.get(token)).status_code == 200
    issuer.keys = [jwk(rsa_key("two"), "two")]
    monkeypatch.setattr(signing_keys, "REFRESH_S", 0.0)
    await token_target.get(token)  # asks the issuer again, in the background
    await asyncio.sleep(0.1)
    is_refused(await token_target.get(token), 401, "invalid_token")


async def test_made_up_key_ids_do_not_make_the_gateway_ask_each_time(token_target, issuer):
    await token_target.get(issuer.token())
    asked = issuer.asked
    for number in range(20):
        is_refused(await token_target.get(issuer.token(rsa_key("foreign"), header={"kid": str(number)})), 401)
    assert issuer.asked - asked <= 1


async def test_while_the_issuer_is_down_the_keys_that_were_had_go_on_to_hold(token_target, issuer, monkeypatch):
    monkeypatch.setattr(signing_keys, "NOT_SOONER_S", 0.0)
    monkeypatch.setattr(signing_keys, "REFRESH_S", 0.0)
    assert (await token_target.get(issuer.token())).status_code == 200
    issuer.down = True
    for number in range(3):
        assert (await token_target.get(issuer.token(jti=str(number)))).status_code == 200
        await asyncio.sleep(0.02)


async def test_an_issuer_that_was_never_reached_is_a_503_and_is_asked_again(tmp_path, issuer, monkeypatch):
    monkeypatch.setattr(signing_keys, "NOT_SOONER_WITHOUT_KEYS_S", 0.1)
    issuer.down = True
    async with target_with(tmp_path, oidc_issuer=issuer.url, oidc_audience=AUDIENCE) as target:
        unavailable = await target.get(issuer.token())
        assert (unavailable.status_code, unavailable.json()["part"]) == (503, "identity-provider")
        assert int(unavailable.headers["retry-after"]) >= 1
        issuer.down = False
        await asyncio.sleep(0.15)
        assert (await target.get(issuer.token())).status_code == 200


async def test_a_slow_issuer_holds_up_nobody_whose_token_is_known(token_target, issuer):
    token = issuer.token()
    assert (await token_target.get(token)).status_code == 200
    issuer.slow_s = 1.0
    waiting = asyncio.create_task(token_target.get(issuer.token(rsa_key("two"), header={"kid": "new"})))
    await asyncio.sleep(0.05)
    started = time.perf_counter()
    assert (await token_target.get(token)).status_code == 200
    assert time.perf_counter() - started < 0.5
    await waiting


async def test_a_symmetric_key_in_the_set_signs_nothing(token_target, issuer, monkeypatch):
    secret = b"s" * 32
    encoded = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    issuer.keys.append({"kty": "oct", "kid": "shared", "k": encoded, "alg": "HS256"})
    forged = issuer.token(secret, algorithm="HS256", header={"kid": "shared"})
    is_refused(await token_target.get(forged), 401, "invalid_token")
