"""Several networks that answer as one."""

from collections.abc import Sequence

import torch
from torch import nn


class EnsembleNet(nn.Module):
    """The mean of its members' maps, so that a label's logit is still the mean of its map.

    Members that learned from different starts err in different places; their mean errs less.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        cam = torch.stack([member(pixels)["cam"] for member in self.members]).mean(dim=0)  # (B, 14, h, w)
        return {"logits": cam.mean(dim=(2, 3)), "cam": cam}
