"""A vision transformer is trained, exported, served and drawn like any other encoder."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch

from services.image_index.examples.datasets import LabelledImages
from services.image_index.examples.sources import phantom_images
from services.image_index.networks.build import build_network, build_torch, known_architecture
from services.image_index.training.augment import normalise
from services.image_index.training.checkpoints import load_network
from services.image_index.training.export import export_encoder
from services.image_index.training.pipeline import Parts
from services.image_index.training.train import Trainer, TrainOptions
from services.inference.session import open_session
from shared.labels import LABELS
from tests.image_index.conftest import png_bytes

pytestmark = pytest.mark.slow

VIT = "timm:test_vit"  # timm's own for tests: six layers of 64


@pytest.fixture(scope="module")
def pictures() -> LabelledImages:
    return phantom_images(40, seed=8, size=64, balance=1.0, workers=1)


@pytest.fixture(scope="module")
def exported(pictures: LabelledImages, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A checkpoint, and the folder made of it."""
    run, folder = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("model")
    options = TrainOptions(architecture=VIT, pretrained=False, epochs=1, batch=8, warm_up_steps=2)
    best = Trainer(options, pictures, pictures, run).fit()
    export_encoder(Parts(pictures, pictures, pictures), [best], folder)
    return best, folder


def test_both_engines_answer_as_the_trained_network(exported: tuple[Path, Path], pictures: LabelledImages) -> None:
    """torch and ONNX Runtime with the same weights in half precision, and the checkpoint in full."""
    pixels = normalise(pictures.pixels[:3])
    answers = open_session(exported[1], device="cpu").run({"pixels": pixels.numpy()})
    with torch.no_grad():
        same, full = build_torch(exported[1])(pixels), load_network(exported[0])(pixels)

    assert answers["cam"].shape == (3, 14, 4, 4)  # a patch is 16 pixels
    assert np.abs(answers["logits"] - same["logits"].numpy()).max() < 1e-4
    assert np.abs(answers["cam"] - same["cam"].numpy()).max() < 1e-4
    assert np.abs(answers["logits"] - full["logits"].numpy()).max() < 0.02
    assert np.allclose(answers["logits"], answers["cam"].mean(axis=(2, 3)), atol=1e-5)


async def test_it_is_served_with_a_map_for_each_label(
    exported: tuple[Path, Path],
    pictures: LabelledImages,
    serving: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    async with serving(exported[1]) as client:
        model = (await client.get("/v1/model")).json()
        put = await client.put("/v1/images/a", content=png_bytes(pictures.pixels[0]))
        maps = [await client.get("/v1/images/a/heatmap", params={"label": label}) for label in LABELS]

    assert (model["engine"], model["architecture"], model["input"]["size"]) == ("onnxruntime", VIT, 64)
    assert put.status_code == 201, put.text
    assert {each.headers["content-type"] for each in maps} == {"image/png"}
    assert len({each.content for each in maps}) > 7


def test_it_reads_any_size_that_its_patches_divide_and_the_same_once_settled() -> None:
    torch.manual_seed(0)
    network, pixels = build_network(VIT).eval(), torch.randn(1, 1, 96, 96)
    with torch.no_grad():
        before = network(pixels)
        network.settle(96)
        after = network(pixels)
    assert after["cam"].shape == (1, 14, 6, 6)
    assert torch.allclose(before["cam"], after["cam"], atol=1e-6)


def test_a_convolutional_network_of_timm_is_trained_alike() -> None:
    network = build_network("timm:test_resnet")
    network(torch.randn(2, 1, 64, 64))["logits"].sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("name", ["vit", "timm:no_such_network", "timm:"])
def test_a_name_that_is_no_architecture_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="timm"):
        known_architecture(name)
