from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateway.fakes import FakeClassifier, FakeIndex, gateway_over


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier()


@pytest.fixture
def index() -> FakeIndex:
    index = FakeIndex()
    index.images = {f"image-{number}": b"content" for number in range(1, 4)}
    return index


@pytest.fixture
def settings() -> dict[str, object]:
    """What a test module changes of the gateway's settings."""
    return {}


@pytest.fixture
async def client(classifier, index, settings) -> AsyncIterator[httpx.AsyncClient]:
    app = gateway_over(classifier, index, **settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        yield client
