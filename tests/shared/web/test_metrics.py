import httpx
import pytest
from fastapi import FastAPI

from tests.shared.web.conftest import bare_app

pytestmark = pytest.mark.slow


@pytest.fixture
def app() -> FastAPI:
    app = bare_app()

    @app.get("/v1/images/{image_id}")
    async def get(image_id: str) -> str:
        return image_id

    return app


async def series(client: httpx.AsyncClient) -> set[str]:
    lines = (await client.get("/metrics")).text.splitlines()
    return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}


async def test_metrics_do_not_grow_with_what_callers_make_up(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/v1/images/1")
        await client.get("/nowhere")
        await series(client)
        before = await series(client)
        for number in range(500):
            await client.request(f"M{number}", "/v1/images/1")
            await client.request(f"M{number}", f"/nowhere/{number}")
            await client.get(f"/v1/images/{number}")
            await client.get(f"/v1/images/{number}/")
            await client.delete(f"/healthz/{number}")
        assert await series(client) == before


async def test_what_no_route_takes_is_counted_as_one(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/nowhere")
        await client.post("/v1/images/1")
        await client.request("BREW", "/v1/images/1")
        metrics = (await client.get("/metrics")).text
    assert 'http_requests_total{handler="none",method="other",status="4xx"} 3.0' in metrics
