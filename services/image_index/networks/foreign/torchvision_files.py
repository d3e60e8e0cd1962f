"""torchvision networks fine-tuned on the 14 labels: `torchvision:NAME@FILE`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torchvision
from torch import nn

from services.image_index.networks.foreign.declared import Declared, read_declared
from services.image_index.networks.foreign.described import IMAGENET_MEAN, IMAGENET_STD, Foreign
from services.image_index.networks.foreign.pooling import map_and_reading
from services.image_index.networks.foreign.weights import State, fit, read_state
from services.image_index.networks.label_net import reading_first
from services.inference.model_files import ModelLoadError
from shared.labels import LABELS

# torchvision's vision transformers are timm's, under other names.
_TRANSFORMERS = {
    "vit_b_16": "vit_base_patch16_224",
    "vit_b_32": "vit_base_patch32_224",
    "vit_l_16": "vit_large_patch16_224",
    "vit_l_32": "vit_large_patch32_224",
    "vit_h_14": "vit_huge_patch14_224",
}
_RENAMED = (
    (r"^conv_proj\.", "patch_embed.proj."),
    (r"^class_token$", "cls_token"),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
    (r"\.ln_1\.", ".norm1."),
    (r"\.ln_2\.", ".norm2."),
    (r"\.self_attention\.in_proj_", ".attn.qkv."),
    (r"\.self_attention\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.(?:0|linear_1)\.", ".mlp.fc1."),
    (r"\.mlp\.(?:3|linear_2)\.", ".mlp.fc2."),
    (r"^encoder\.ln\.", "norm."),
    (r"^heads\.head\.", "head."),
)
_DEFAULT = Declared(input_size=224, channels=3, mean=IMAGENET_MEAN, std=IMAGENET_STD)


def read_torchvision(name: str, file: Path) -> Foreign:
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise ModelLoadError(f"torchvision has no model {name}.")
    declared = read_declared(file, _DEFAULT)
    config = {"name": f"torchvision:{name}", "layout": "torchvision", "architecture": name} | declared.config

    def build() -> nn.Module:
        network, state = blank(config), read_state(file)
        fit(network, renamed(state) if name in _TRANSFORMERS else state, file, f"torchvision's {name} with 14 outputs")
        return served(network).eval()

    return Foreign(config, {}, file, build)


def renamed(state: State) -> State:
    """A transformer's tensors under timm's names."""

    def rename(name: str) -> str:
        for pattern, replacement in _RENAMED:
            name = re.sub(pattern, replacement, name)
        return name

    return {rename(name): tensor for name, tensor in state.items()}


def blank(config: Mapping[str, Any]) -> nn.Module:
    """As the checkpoint names its weights; a transformer as timm does."""
    name = config["architecture"]
    if name in _TRANSFORMERS:
        from services.image_index.networks.foreign import timm_files  # noqa: PLC0415 (timm is an optional package)

        return timm_files.blank({**config, "architecture": _TRANSFORMERS[name]})
    if config["channels"] != 3:
        raise ModelLoadError(f"torchvision's {name} reads 3 channels, not {config['channels']}.")
    return cast("nn.Module", torchvision.models.get_model(name, weights=None, num_classes=len(LABELS)))


def served(network: nn.Module) -> nn.Module:
    """Raises ModelLoadError for a network whose head is more than a mean and one linear reading."""
    parts = map_and_reading(network)
    if parts is not None:
        return reading_first(*parts)
    if hasattr(network, "patch_embed"):  # timm's transformer
        from services.image_index.networks.foreign import timm_files  # noqa: PLC0415 (timm is an optional package)

        return timm_files.served(network)
    raise ModelLoadError(
        f"torchvision's {type(network).__name__} is not read here: its head is not one linear layer behind the mean of "
        "a map. ResNet, ResNeXt, DenseNet, EfficientNet, MobileNetV2 and vision transformers are."
    )
