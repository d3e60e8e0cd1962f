import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr, ValidationError

from shared.settings import ServiceSettings
from shared.web.service_token import ServiceToken, guard_by, require_token

TOKEN = "t" * 32
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def client():
    app = FastAPI()
    app.add_middleware(ServiceToken, token=SecretStr(TOKEN), registry=CollectorRegistry())

    @app.get("/{name}")
    async def found(name: str) -> str:
        return name

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        yield client


async def test_only_who_has_the_token_is_answered(client):
    assert (await client.get("/v1", headers=HEADERS)).status_code == 200
    for sent in ({}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer "}):
        refused = await client.get("/v1", headers=sent)
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:chexretriever:unauthenticated")
        assert refused.headers["www-authenticate"].startswith("Bearer ")


async def test_token_beside_another_is_not_taken(client):
    twice = [("Authorization", HEADERS["Authorization"]), ("Authorization", "Bearer x")]
    assert (await client.get("/v1", headers=twice)).status_code == 401


async def test_health_is_open_and_metrics_are_not(client):
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    assert (await client.get("/metrics")).status_code == 401


def test_token_comes_from_a_file_or_the_environment_and_the_file_counts_first(tmp_path):
    file = tmp_path / "token"
    file.write_text("f" * 32 + "\n")
    assert ServiceSettings().token() is None
    assert ServiceSettings(service_token=TOKEN).token() == SecretStr(TOKEN)
    assert ServiceSettings(service_token=TOKEN, service_token_file=file).token() == SecretStr("f" * 32)
    assert guard_by(ServiceSettings()) is None
    assert TOKEN not in repr(ServiceSettings(service_token=TOKEN))


def test_file_that_holds_no_token_is_refused(tmp_path):
    (tmp_path / "short").write_text("short")
    for name in ("short", "absent"):
        with pytest.raises(ValidationError, match="must "):
            ServiceSettings(service_token_file=tmp_path / name)


def test_service_that_others_reach_needs_a_token():
    require_token(ServiceSettings(), "service")
    require_token(ServiceSettings(host="0.0.0.0", service_token=TOKEN), "service")
    with pytest.raises(SystemExit, match="CHEX_SERVICE_TOKEN"):
        require_token(ServiceSettings(host="0.0.0.0"), "service")
