"""The original project's checkpoint, served over HTTP by both engines, answers as its own network does."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from torch import nn

from services.image_index.parts import open_model
from services.image_index.training.convert import convert
from services.inference.model_files import ModelLoadError
from shared.labels import LABELS
from tests.image_index.conftest import png_bytes

pytestmark = pytest.mark.slow

Serving = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(scope="module")
def folder(original: tuple[nn.Module, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    convert(str(original[1]), folder)
    return folder


@pytest.fixture(scope="module")
def models(original: tuple[nn.Module, Path], folder: Path) -> dict[str, Path]:
    """What is configured for each engine."""
    return {"torch": original[1], "onnxruntime": folder}


@pytest.fixture(scope="module")
def reference(original: tuple[nn.Module, Path], square: Callable[[int], torch.Tensor]) -> np.ndarray:
    """The logits (14,) of the phantom by plain torch: three equal channels, mean and standard deviation 0.5."""
    with torch.no_grad():
        return original[0]((square(224).expand(1, 3, -1, -1) - 0.5) / 0.5)[0].numpy()


@pytest.mark.parametrize("engine", ["torch", "onnxruntime"])
async def test_an_image_is_put_found_and_shown(
    engine: str, models: dict[str, Path], reference: np.ndarray, phantom_512: np.ndarray, serving: Serving
) -> None:
    async with serving(models[engine]) as client:
        model = (await client.get("/v1/model")).json()
        put = await client.put("/v1/images/a", content=png_bytes(phantom_512))
        found = (await client.post("/v1/search", json={"labels": ["Cardiomegaly"], "k": 3})).json()
        heatmap = await client.get("/v1/images/a/heatmap", params={"label": "Edema"})

    assert (model["engine"], model["calibrated"]) == (engine, False)
    assert model["input"] == {"size": 224, "channels": 3, "mean": [0.5] * 3, "std": [0.5] * 3}
    assert set(model["label_support"].values()) == {"real"}
    assert put.status_code == 201, put.text
    probabilities = np.array([put.json()["probabilities"][label] for label in LABELS])
    logits = np.log(probabilities) - np.log1p(-probabilities)
    assert np.abs(logits - reference).max() < 1e-4
    assert np.abs(reference).max() > 0.2
    assert [hit["image_id"] for hit in found["hits"]] == ["a"]
    assert heatmap.headers["content-type"] == "image/png"


def test_maps_have_the_logits_as_their_means(folder: Path, reference: np.ndarray, phantom_512: np.ndarray) -> None:
    encoder = open_model(folder, device="cpu")
    (encoding,) = encoder.encode([encoder.prepare(phantom_512)])

    assert encoding.cam.shape == (14, 7, 7)
    assert np.abs(encoding.cam.astype(np.float32).mean(axis=(1, 2)) - reference).max() < 1e-2


def test_torch_reads_a_converted_folder_too(
    folder: Path, reference: np.ndarray, square: Callable[[int], torch.Tensor]
) -> None:
    """As it does on a GPU, from the folder's own weights file."""
    from services.image_index.networks.build import build_torch

    with torch.no_grad():
        answer = build_torch(folder)(((square(224) - 0.5) / 0.5).expand(1, 3, -1, -1))
    assert np.abs(answer["logits"][0].numpy() - reference).max() < 1e-4


def test_the_card_says_that_nothing_is_calibrated(folder: Path) -> None:
    card = (folder / "README.md").read_text()
    assert "Not calibrated" in card
    assert "Labels that it does not know: none" in card


class _Code:
    def __reduce__(self):
        return (print, ("run!",))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("classifier.bias"), "missing: classifier.bias"),
        (
            lambda state: state.update({"classifier.weight": torch.zeros(5, 2048)}),
            r"\(5, 2048\) and should be \(14, 2048\)",
        ),
        (lambda state: state.update({"extra.weight": torch.zeros(1)}), "unknown: extra.weight"),
        (lambda state: state.update({"note": _Code()}), "holds code or whole objects"),
        (lambda state: state.update({"epoch": 3}), "holds no state dict"),
        (lambda state: [state.pop(name) for name in list(state) if name.startswith("encoder")], "no checkpoint of the"),
    ],
)
def test_a_wrong_checkpoint_is_refused_with_what_is_wrong(
    change, says: str, original: tuple[nn.Module, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = dict(original[0].state_dict())
    change(state)
    file = tmp_path / "wrong.pt"
    torch.save(state, file)

    with pytest.raises(ModelLoadError, match=says):
        open_model(file, device="cpu")
    assert "run!" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04 damaged"])
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.pt"
    file.write_bytes(content)

    with pytest.raises(ModelLoadError, match=r"x\.pt"):
        open_model(file, device="cpu")
