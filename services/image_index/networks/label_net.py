"""A backbone's feature map, and one linear reading of it for each label.

The reading comes before the pooling, so the map it makes *is* the explanation: a label's logit is the mean of its map.
"""

from typing import cast

import torch
from torch import nn

from services.image_index.networks.timm_backbone import TimmBackbone
from shared.labels import LABELS


class LabelNet(nn.Module):
    """pixels (B, C, S, S) -> logits (B, 14) and cam (B, 14, h, w), whose spatial mean the logits are, bias included."""

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

    def settle(self, side: int) -> None:
        """From here on only pictures of this side are read; what has to be fitted to it is fitted once."""
        if isinstance(self.backbone, TimmBackbone):
            self.backbone.settle(side)


def reading_first(backbone: nn.Module, reading: nn.Linear) -> LabelNet:
    """Of a network that pools and then reads: the same logits, and maps. Linear as it is, `reading` may as well come
    before the mean over the backbone's map.
    """
    network = LabelNet(backbone, reading.in_features, dropout=0.0)
    network.head.weight = nn.Parameter(reading.weight.detach()[:, :, None, None])
    network.head.bias = nn.Parameter(reading.bias.detach())
    return network
