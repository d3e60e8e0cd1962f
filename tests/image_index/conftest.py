import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from services.image_index.app import create_app
from services.image_index.encoding.encoder import Encoder
from services.image_index.parts import open_model
from services.image_index.settings import ImageIndexSettings
from tests.image_index.encoding.tiny_model import write_tiny_model


def png_bytes(picture: np.ndarray, comment: str = "") -> bytes:
    """Another file of the same picture for each comment."""
    out, said = io.BytesIO(), PngInfo()
    said.add_text("Comment", comment)
    Image.fromarray(picture).save(out, "PNG", pnginfo=said if comment else None)
    return out.getvalue()


@pytest.fixture(autouse=True)
def every_picture_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model's pictures are squares of one grey, no chests. Tests of the gate set its threshold themselves."""
    monkeypatch.setenv("CHEX_CHEST_THRESHOLD", "0")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture(scope="session")
def encoder(tiny_model: Path) -> Encoder:
    return open_model(tiny_model, device="cpu", threads=1)


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> ImageIndexSettings:
    return ImageIndexSettings(
        image_model=tiny_model, data_dir=tmp_path / "data", device="cpu", threads=1, patient_key="a key for tests"
    )


@pytest.fixture
async def connect() -> AsyncIterator[Callable]:
    """Starts an app and gives a client for it; everything is closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(app: FastAPI) -> httpx.AsyncClient:
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://index"))

        yield start


@pytest.fixture
async def client(connect: Callable, settings: ImageIndexSettings, encoder: Encoder) -> httpx.AsyncClient:
    return await connect(create_app(settings, encoder))
