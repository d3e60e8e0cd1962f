"""Any network of the timm library as a backbone, vision transformers among them: their patch tokens are a map."""

import math
from typing import Any, cast

import torch
from torch import nn

TIMM = "timm:"


def is_timm(architecture: str) -> bool:
    """Whether `architecture` is `timm:` and a name that the installed timm knows. Raises ImportError without timm."""
    if not architecture.startswith(TIMM):
        return False
    import timm  # noqa: PLC0415 (an optional package)

    return bool(timm.is_model(architecture.removeprefix(TIMM)))


def feature_map(features: torch.Tensor, network: Any) -> torch.Tensor:
    """What timm's `forward_features` gives, as (B, F, h, w): of a transformer the patch tokens, without the others."""
    if features.ndim == 3:
        tokens = features[:, getattr(network, "num_prefix_tokens", 0) :]  # (B, N, F)
        side = math.isqrt(tokens.shape[1])
        return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], side, side)
    return features.permute(0, 3, 1, 2) if getattr(network, "output_fmt", "NCHW") == "NHWC" else features


class TimmBackbone(nn.Module):
    """A timm network up to its last feature map, for grey pictures of any size that its patches divide."""

    def __init__(self, name: str, *, pretrained: bool) -> None:
        super().__init__()
        import timm  # noqa: PLC0415 (an optional package)
        from timm.models.vision_transformer import VisionTransformer  # noqa: PLC0415

        plain: dict[str, Any] = {"pretrained": pretrained, "in_chans": 1, "num_classes": 0}
        try:
            self.net: Any = timm.create_model(name, dynamic_img_size=True, **plain)
        except TypeError:  # convolutions know no such option and need none
            self.net = timm.create_model(name, **plain)
        self.features: int = self.net.num_features
        self._takes_any_size = isinstance(self.net, VisionTransformer)
        if self._takes_any_size:
            self.net.fc_norm = nn.Identity()  # comes after the pooling, of which this is the part before

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return feature_map(cast("torch.Tensor", self.net.forward_features(pixels)), self.net)

    def settle(self, side: int) -> None:
        """Fit the position embeddings to this side once and for all, so that no graph has to interpolate them."""
        if self._takes_any_size and tuple(self.net.patch_embed.img_size) != (side, side):
            self.net.set_input_size(img_size=(side, side))
