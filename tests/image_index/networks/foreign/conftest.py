"""Models of other people, made here with random weights in the layouts that their makers publish."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.models import resnet50

from services.image_index.app import create_app
from services.image_index.examples.phantoms.phantom import make_phantom
from services.image_index.settings import ImageIndexSettings
from shared.labels import LABELS


@torch.no_grad()
def settled(network: nn.Module, pixels: torch.Tensor) -> nn.Module:
    """With norms that have seen a few pictures, so that activations have the size of a trained network's."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()(pixels)
    return network.eval()


@pytest.fixture(scope="session")
def pictures() -> torch.Tensor:
    """Four phantoms as grey from 0 to 1, (4, 1, 128, 128)."""
    drawn = [make_phantom(seed, labels=["Edema"], size=128).pixels for seed in range(4)]
    return torch.from_numpy(np.stack(drawn))[:, None].float() / 255


@pytest.fixture(scope="session")
def phantom_512() -> np.ndarray:
    """(512, 512) uint8."""
    return make_phantom(5, labels=["Cardiomegaly", "Pleural Effusion"], size=512).pixels


@pytest.fixture(scope="session")
def square(phantom_512: np.ndarray) -> Callable[[int], torch.Tensor]:
    """The phantom as grey from 0 to 1, (1, 1, side, side), shrunk as torchvision's transforms do."""

    def shrink(side: int) -> torch.Tensor:
        picture = Image.fromarray(phantom_512).resize((side, side), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(picture, dtype=np.float32))[None, None] / 255

    return shrink


@pytest.fixture(scope="session")
def original(pictures: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    """The original project's network and its checkpoint."""

    class Original(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(*list(resnet50(weights=None).children())[:-1])
            self.classifier = nn.Linear(2048, len(LABELS))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.classifier(self.encoder(pixels).flatten(1))

    torch.manual_seed(0)
    network = settled(Original(), (pictures.expand(-1, 3, -1, -1) - 0.5) / 0.5)
    file = tmp_path_factory.mktemp("original") / "best_resnet_finetuned.pt"
    torch.save(network.state_dict(), file)
    return network, file


@pytest.fixture
def serving(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]:
    """A client of the image index that serves this model."""

    @asynccontextmanager
    async def start(model: str | Path):
        settings = ImageIndexSettings(image_model=model, data_dir=tmp_path / "data", device="cpu", threads=2)
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://index") as client:
                yield client

    return start
