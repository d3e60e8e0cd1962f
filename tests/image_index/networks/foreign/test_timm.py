"""timm's and torchvision's networks fine-tuned elsewhere, vision transformers among them."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from timm.models import save_for_hf
from torch import nn
from typer.testing import CliRunner

from services.image_index.networks.foreign.torchvision_files import renamed
from services.image_index.networks.token_heads import _given_to_class_token, _read_through_norm
from services.image_index.parts import open_model
from services.image_index.training.__main__ import cli
from services.inference.model_files import ModelLoadError
from shared.labels import LABELS
from tests.image_index.conftest import png_bytes
from tests.image_index.networks.foreign.conftest import settled

pytestmark = pytest.mark.slow

VIT = "test_vit"  # timm's own for tests: six layers of 64, 160 pixels


def fine_tuned(name: str, **options: object) -> nn.Module:
    """With weights large enough that tokens differ."""
    torch.manual_seed(3)
    network = timm.create_model(name, num_classes=len(LABELS), **options).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.1)
    return network


@pytest.fixture(scope="module")
def vit() -> nn.Module:
    return fine_tuned(VIT)


@pytest.fixture(scope="module")
def hub_folder(vit: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As timm writes it for the hub."""
    folder = tmp_path_factory.mktemp("vit")
    save_for_hf(vit, str(folder), model_config={"label_names": list(LABELS)}, safe_serialization=True)
    return folder


@pytest.fixture(scope="module")
def folder(hub_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted by the command."""
    folder = tmp_path_factory.mktemp("converted")
    result = CliRunner().invoke(cli, ["convert", "--model", f"timm:{hub_folder}", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    assert "Not calibrated" in result.output
    return folder


def as_it_reads(network: nn.Module, grey: torch.Tensor) -> torch.Tensor:
    """(1, 1, S, S) -> (1, 3, S, S), normalised as timm says of the network."""
    mean, std = (torch.tensor(network.pretrained_cfg[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    return (grey - mean) / std


@torch.no_grad()
def reference(network: nn.Module, grey: torch.Tensor) -> np.ndarray:
    return network(as_it_reads(network, grey))[0].numpy()


def logits_of(probabilities: np.ndarray) -> np.ndarray:
    return np.log(probabilities) - np.log1p(-probabilities)


@pytest.fixture(scope="module")
def models(hub_folder: Path, folder: Path) -> dict[str, str | Path]:
    """What is configured for each engine."""
    return {"torch": f"timm:{hub_folder}", "onnxruntime": folder}


@pytest.fixture(scope="module")
def logits(vit: nn.Module, square: Callable[[int], torch.Tensor]) -> np.ndarray:
    return reference(vit, square(160))


@pytest.mark.parametrize("engine", ["torch", "onnxruntime"])
async def test_a_vision_transformer_is_served_with_its_maps(
    engine: str,
    models: dict[str, str | Path],
    logits: np.ndarray,
    phantom_512: np.ndarray,
    serving: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    async with serving(models[engine]) as client:
        model = (await client.get("/v1/model")).json()
        put = await client.put("/v1/images/a", content=png_bytes(phantom_512))
        maps = [await client.get("/v1/images/a/heatmap", params={"label": label}) for label in LABELS[:3]]

    assert (model["engine"], model["architecture"], model["input"]["size"]) == (engine, VIT, 160)
    probabilities = np.array([put.json()["probabilities"][label] for label in LABELS])
    assert np.abs(logits_of(probabilities) - logits).max() < 1e-4
    assert len({each.content for each in maps}) == 3  # each label has a map of its own
    assert {each.headers["content-type"] for each in maps} == {"image/png"}


def test_a_map_has_the_logit_as_its_mean_and_is_a_grid_of_patches(
    folder: Path, vit: nn.Module, phantom_512: np.ndarray, square: Callable[[int], torch.Tensor]
) -> None:
    encoder = open_model(folder, device="cpu")
    (encoding,) = encoder.encode([encoder.prepare(phantom_512)])
    assert encoding.cam.shape == (14, 10, 10)
    means = encoding.cam.astype(np.float64).mean(axis=(1, 2))
    assert np.abs(means - reference(vit, square(160))).max() < 1e-2


@torch.no_grad()
def test_what_the_tokens_give_the_class_token_is_all_that_attention_gives_it(vit: nn.Module) -> None:
    tokens, block = torch.randn(2, 101, 64), vit.blocks[-1]
    given = _given_to_class_token(block, tokens).sum(dim=1) + block.ls1(block.attn.proj.bias)
    assert torch.allclose(given, block.ls1(block.attn(block.norm1(tokens)))[:, 0], atol=1e-5)


@torch.no_grad()
def test_parts_read_through_the_norm_add_up_to_the_whole(vit: nn.Module) -> None:
    parts = torch.randn(2, 5, 64)
    whole = parts.sum(dim=1, keepdim=True)
    read = _read_through_norm(parts, whole, vit.norm, vit.head.weight).sum(dim=1)
    assert torch.allclose(
        read + vit.head.weight @ vit.norm.bias + vit.head.bias, vit.head(vit.norm(whole))[:, 0], atol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [(VIT, {"global_pool": "avg"}), (VIT, {"global_pool": "avg", "fc_norm": False}), ("test_resnet", {})],
)
def test_a_pooled_network_reads_as_the_library_does(
    name: str,
    options: dict[str, object],
    phantom_512: np.ndarray,
    square: Callable[[int], torch.Tensor],
    tmp_path: Path,
) -> None:
    network = fine_tuned(name, **options)
    file = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), file)
    file.with_suffix(".json").write_text(json.dumps({"model_args": options}))
    encoder = open_model(f"timm:{name}@{file}", device="cpu")

    (encoding,) = encoder.encode([encoder.prepare(phantom_512)])
    expected = reference(network, square(160))
    assert np.abs(logits_of(encoding.probabilities) - expected).max() < 1e-4
    assert np.abs(encoding.cam.astype(np.float64).mean(axis=(1, 2)) - expected).max() < 1e-2


def test_labels_in_another_order_and_another_size_are_declared_beside_the_weights(
    phantom_512: np.ndarray, square: Callable[[int], torch.Tensor], tmp_path: Path
) -> None:
    network = fine_tuned(VIT, img_size=96, in_chans=1)
    file = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), file)
    said = {"labels": LABELS[::-1], "input_size": 96, "channels": 1, "mean": [0.3], "std": [0.25]}
    file.with_suffix(".json").write_text(json.dumps(said))
    encoder = open_model(f"timm:{VIT}@{file}", device="cpu")

    (encoding,) = encoder.encode([encoder.prepare(phantom_512)])
    with torch.no_grad():
        expected = network((square(96) - 0.3) / 0.25)[0].numpy()
    assert np.abs(logits_of(encoding.probabilities)[::-1] - expected).max() < 1e-4


def test_a_hub_name_is_read_from_the_local_cache(
    hub_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants as hub

    repository = tmp_path / "models--ward--vit"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("a" * 40)
    (repository / "snapshots").mkdir()
    (repository / "snapshots" / ("a" * 40)).symlink_to(hub_folder)
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)

    named, direct = (open_model(name, device="cpu") for name in ("timm:hf-hub:ward/vit", f"timm:{hub_folder}"))
    assert named.info.weights_sha256 == direct.info.weights_sha256
    with pytest.raises(ModelLoadError, match="cannot be had from the Hugging Face hub"):
        open_model("timm:hf-hub:ward/other", device="cpu")


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_a_torchvision_network_reads_as_the_library_does(
    name: str, pictures: torch.Tensor, phantom_512: np.ndarray, square: Callable[[int], torch.Tensor], tmp_path: Path
) -> None:
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    torch.manual_seed(2)
    network = torchvision.models.get_model(name, weights=None, num_classes=len(LABELS))
    network = settled(network, (pictures - mean) / std)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    encoder = open_model(f"torchvision:{name}@{tmp_path / 'weights.safetensors'}", device="cpu")

    (encoding,) = encoder.encode([encoder.prepare(phantom_512)])
    with torch.no_grad():
        expected = network((square(224) - mean) / std)[0].numpy()
    assert np.abs(logits_of(encoding.probabilities) - expected).max() < 1e-4
    assert encoder.details.label_support == dict.fromkeys(LABELS, "unstated")


@torch.no_grad()
def test_torchvisions_transformer_is_timms_under_other_names() -> None:
    torch.manual_seed(4)
    theirs = torchvision.models.VisionTransformer(32, 16, 2, 2, 32, 64, num_classes=14).eval()
    torch.nn.init.normal_(theirs.heads.head.weight)
    ours = timm.models.VisionTransformer(
        img_size=32, patch_size=16, depth=2, num_heads=2, embed_dim=32, mlp_ratio=2, num_classes=14
    ).eval()
    ours.load_state_dict(renamed(theirs.state_dict()))
    pixels = torch.randn(2, 3, 32, 32)
    assert torch.allclose(ours(pixels), theirs(pixels), atol=1e-5)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("timm:test_vit", "no weights that know the 14 labels"),
        ("timm:no_such@x.safetensors", "has no model no_such"),
        ("timm:test_vit@absent.safetensors", r"absent\.safetensors does not exist"),
        ("torchvision:resnet18", "no weights that know the 14 labels"),
        ("torchvision:no_such@x.safetensors", "has no model no_such"),
    ],
)
def test_a_name_that_cannot_be_served_is_refused_with_the_reason(model: str, says: str) -> None:
    with pytest.raises(ModelLoadError, match=says):
        open_model(model, device="cpu")


def test_weights_of_1000_classes_are_refused(tmp_path: Path) -> None:
    save_file(timm.create_model(VIT).state_dict(), tmp_path / "imagenet.safetensors")
    with pytest.raises(ModelLoadError, match=r"head\.weight is \(1000, 64\) and should be \(14, 64\)"):
        open_model(f"timm:{VIT}@{tmp_path / 'imagenet.safetensors'}", device="cpu")


def test_a_head_that_is_more_than_linear_is_refused(tmp_path: Path) -> None:
    save_file(timm.create_model("test_convnext", num_classes=14).state_dict(), tmp_path / "x.safetensors")
    with pytest.raises(ModelLoadError, match="its head is not one linear layer"):
        open_model(f"timm:test_convnext@{tmp_path / 'x.safetensors'}", device="cpu")


def test_the_command_refuses_what_it_cannot_convert(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["convert", "--model", "timm:test_vit", "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "no weights that know" in result.output
    assert not (tmp_path / "out").exists()


_WITHOUT_TORCH = """
import sys
from pathlib import Path
sys.modules["torch"] = None
from services.image_index.parts import open_model
from services.inference.model_files import ModelLoadError
print(open_model(sys.argv[1]).info.engine)
try:
    open_model(sys.argv[2])
except ModelLoadError as error:
    print(error)
"""


def test_without_torch_a_converted_folder_is_served_and_the_rest_says_what_it_needs(
    folder: Path, hub_folder: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, str(folder), f"timm:{hub_folder}"],
        capture_output=True,
        text=True,
        check=False,
    )
    engine, _, refusal = run.stdout.partition("\n")
    assert engine == "onnxruntime", run.stderr
    assert "needs torch" in refusal
    assert "image_index.training convert" in refusal
