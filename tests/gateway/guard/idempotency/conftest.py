from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateway.fakes import gateway_over


@pytest.fixture
def settings(tmp_path) -> dict[str, object]:
    return {"gateway_dir": tmp_path / "gateway", "max_upload_bytes": 1000}


@pytest.fixture
async def client(classifier, index, settings) -> AsyncIterator[httpx.AsyncClient]:
    app = gateway_over(classifier, index, **settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield client
