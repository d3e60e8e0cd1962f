"""The three apps in one process, with the real bundled models: the gateway reaches the services over ASGI."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from gateway.upstream.http import Http
from gateway.upstream.services import ImageIndexClient, TextClassifierClient
from services.image_index.app import create_app as create_index
from services.image_index.settings import ImageIndexSettings
from services.text_classifier.app import create_app as create_classifier
from services.text_classifier.settings import TextClassifierSettings


@pytest.fixture
def apps(tmp_path) -> dict[str, FastAPI]:
    """The three by name, over an empty index in `tmp_path`; they run while there is a `chain`."""
    text = create_classifier(TextClassifierSettings(device="cpu"))
    index = create_index(ImageIndexSettings(device="cpu", data_dir=tmp_path / "index"))
    gateway = create_gateway(
        GatewaySettings(gateway_dir=tmp_path / "gateway"),
        classifier=TextClassifierClient(Http("http://service", httpx.ASGITransport(text))),
        index=ImageIndexClient(Http("http://service", httpx.ASGITransport(index))),
    )
    return {"text-classifier": text, "image-index": index, "gateway": gateway}


@pytest.fixture
async def chain(apps) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway."""
    async with AsyncExitStack() as stack:
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(apps["gateway"])
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://localhost"))
