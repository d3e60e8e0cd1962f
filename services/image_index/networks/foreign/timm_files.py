"""timm networks fine-tuned on the 14 labels: `timm:NAME@FILE`, `timm:FOLDER` or `timm:hf-hub:OWNER/NAME`.

A folder, on disk or on the Hugging Face hub, is as timm writes it: config.json and model.safetensors.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers.attention import Attention
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from services.image_index.networks.foreign.declared import Declared, read_declared, read_json_beside
from services.image_index.networks.foreign.described import Foreign
from services.image_index.networks.foreign.weights import fit, read_state
from services.image_index.networks.label_net import reading_first
from services.image_index.networks.timm_backbone import feature_map
from services.image_index.networks.token_heads import ClassTokenNet, PooledTokensNet
from services.inference.model_files import ModelLoadError
from shared.labels import LABELS

HUB = ("hf-hub:", "hf_hub:")
_WEIGHTS = "model.safetensors"


def read_timm(reference: str) -> Foreign:
    """`reference` is what follows `timm:`. Raises ModelLoadError."""
    name, weights = _resolve(reference)
    if not timm.is_model(name):
        raise ModelLoadError(f"timm {timm.__version__} has no model {name}.")
    usual = timm.get_pretrained_cfg(name)
    size = usual.input_size if usual else (3, 224, 224)
    mean, std = (usual.mean, usual.std) if usual else ((0.5,) * 3, (0.5,) * 3)
    declared = read_declared(weights, Declared(size[-1], size[0], mean, std))
    if declared.channels == 1 and len(declared.mean) == 3:
        raise ModelLoadError(f"{weights} reads one channel; declare its mean and std in the JSON file beside it.")
    config = {"name": f"timm:{name}", "layout": "timm", "architecture": name} | declared.config

    def build() -> nn.Module:
        network = blank(config)
        fit(network, read_state(weights), weights, f"timm's {name} with 14 outputs")
        return served(network).eval()

    return Foreign(config, {}, weights, build)


def _resolve(reference: str) -> tuple[str, Path]:
    """The architecture's name, and the weights file."""
    if reference.startswith(HUB):
        return _of_folder(_fetched(reference.removeprefix(HUB[0]).removeprefix(HUB[1])))
    name, separator, place = reference.partition("@")
    if separator:
        path = Path(place)
        return name, path / _WEIGHTS if path.is_dir() else path
    if Path(reference).is_dir():
        return _of_folder(Path(reference))
    raise ModelLoadError(
        f"timm:{reference} has no weights that know the 14 labels. Write timm:NAME@FILE, timm:FOLDER or "
        "timm:hf-hub:OWNER/NAME."
    )


def _of_folder(folder: Path) -> tuple[str, Path]:
    weights = folder / _WEIGHTS
    config = read_json_beside(weights)
    if "architecture" not in config:
        raise ModelLoadError(f"{folder} has no config.json that names an architecture of timm.")
    return str(config["architecture"]), weights


def _fetched(repository: str) -> Path:
    """The folder of a hub's model, from the local cache where it is there already (HF_HUB_OFFLINE=1: only from it)."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 (only for a name on the hub)
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(snapshot_download(repository, allow_patterns=["config.json", _WEIGHTS]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ModelLoadError(f"{repository} cannot be had from the Hugging Face hub: {error}") from error


def blank(config: Mapping[str, Any]) -> nn.Module:
    """As the checkpoint names its weights."""
    options = {"in_chans": config["channels"], "num_classes": len(LABELS), **config.get("model_args", {})}
    network = timm.create_model(config["architecture"], pretrained=False, **options)
    side = config["input_size"]
    if isinstance(network, VisionTransformer) and tuple(network.patch_embed.img_size) != (side, side):
        network.set_input_size(img_size=(side, side))
    return network


def served(network: Any) -> nn.Module:
    """Raises ModelLoadError for a network that no map can be drawn of."""
    if isinstance(network, VisionTransformer):
        if network.global_pool == "avg":
            return PooledTokensNet(network)
        attention = network.blocks[-1].attn
        if network.global_pool == "token" and isinstance(attention, Attention) and attention.gate is None:
            return ClassTokenNet(network)
    elif isinstance(network.get_classifier(), nn.Linear):
        reading = network.get_classifier()
        mapped = reading_first(_FeatureMap(network), reading)
        if _agree(network, mapped):
            network.reset_classifier(0)
            return mapped
    raise ModelLoadError(
        f"timm's {type(network).__name__} is not read here: its head is not one linear layer behind the mean of a map "
        "or of a transformer's tokens."
    )


class _FeatureMap(nn.Module):
    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return feature_map(self.net.forward_features(pixels), self.net)


@torch.no_grad()
def _agree(network: Any, mapped: nn.Module) -> bool:
    """Whether reading a map and then pooling it is what the network does; tried out, for timm has too many heads."""
    side = network.default_cfg["input_size"][-1]
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    probe = torch.randn(2, first.in_channels, side, side, generator=torch.Generator().manual_seed(0))
    ours, theirs = mapped.eval()(probe)["logits"], network.eval()(probe)
    return ours.shape == theirs.shape and bool(torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3))
