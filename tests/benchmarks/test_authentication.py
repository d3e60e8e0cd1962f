"""What it costs to ask who sends a request: by a key, by a token, and not at all, turn by turn."""

import statistics
import time

import pytest
from prometheus_client import CollectorRegistry

from gateway.guard.caller import RIGHTS
from gateway.guard.door import Door
from gateway.guard.identity import Identity
from gateway.guard.keys import store
from gateway.guard.keys.check import hash_of
from gateway.guard.keys.key import Key, new_key
from gateway.settings import GatewaySettings
from tests.attacks.issuer import AUDIENCE, running_issuer
from tests.gateway.fakes import FakeClassifier, FakeIndex, gateway_over

pytestmark = pytest.mark.benchmark

ROUNDS = 3000
MOST_MS = 0.3


def scope(path: str, authorization: str | None) -> dict:
    headers = [(b"host", b"localhost"), (b"accept", b"*/*"), (b"user-agent", b"a client")]
    if authorization is not None:
        headers.append((b"authorization", f"Bearer {authorization}".encode()))
    kept = {"method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "state": {}}
    return {"type": "http", "http_version": "1.1", "scheme": "http", "headers": headers, **kept}


async def nothing(_scope, _receive, _send) -> None:
    """What stands behind the door."""


async def seconds(asked, app, path: str, authorization: str | None) -> float:
    sent = scope(path, authorization) | {"app": app}
    started = time.perf_counter()
    await asked(sent, None, None)
    return time.perf_counter() - started


async def test_cost_of_asking_who_sends_a_request(tmp_path):
    file = store.KeyFile(tmp_path)
    written = new_key()
    key = Key(written.id, "benchmark", frozenset(RIGHTS), hash_of(written.secret), None, time.time())
    file.add(key)
    with file._writing() as database:  # and ten thousand others
        for _ in range(10_000):
            other = new_key()
            store._insert(database, Key(other.id, "other", key.rights, key.hash, None, key.created_at))
    app = gateway_over(FakeClassifier(), FakeIndex())
    with running_issuer() as issuer:
        door = Door(GatewaySettings(gateway_dir=tmp_path, oidc_issuer=issuer.url, oidc_audience=AUDIENCE))
        asking = Identity(nothing, door=door, registry=CollectorRegistry())
        token = issuer.token(scope=" ".join(RIGHTS))
        ways = {"not at all": (nothing, None), "a key": (asking, str(written)), "a token": (asking, token)}
        took: dict[str, list[float]] = {name: [] for name in ways}
        async with door.open():
            for number in range(ROUNDS):
                for name, (asked, authorization) in ways.items():
                    # Each path is new, so that the right it takes is sought among the routes, as for most images.
                    path = f"/v1/images/{number}/thumbnail"
                    took[name].append(1000 * await seconds(asked, app, path, authorization))
    p50 = {name: statistics.median(times) for name, times in took.items()}
    for name in ("a key", "a token"):
        print(f"\n{name}: {p50[name] - p50['not at all']:.3f} ms a request (p50)")
        assert p50[name] - p50["not at all"] < MOST_MS
