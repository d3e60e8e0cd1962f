"""Labels that a network of other findings knows under two names."""

import torch
from torch import nn

from shared.labels import LABELS


class EitherNet(nn.Module):
    """pixels (B, C, S, S) -> logits (B, 14), cam (B, 14, h, w): of two readings of a label, the surer one.

    The greater of two logits is the log-odds of the likelier of two findings, a lower bound for those of either.
    """

    def __init__(self, backbone: nn.Module, features: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Conv2d(features, 2 * len(LABELS), kernel_size=1)

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        cams = self.head(self.backbone(pixels)).unflatten(1, (2, len(LABELS)))  # (B, 2, 14, h, w)
        logits = cams.mean(dim=(3, 4))  # (B, 2, 14)
        other = logits[:, 1] > logits[:, 0]  # (B, 14)
        return {
            "logits": torch.where(other, logits[:, 1], logits[:, 0]),
            "cam": torch.where(other[:, :, None, None], cams[:, 1], cams[:, 0]),
        }
