"""A first convolution that was made for colour, made to read grey."""

from torch import nn


def grey_stem(stem: nn.Conv2d) -> nn.Conv2d:
    """The same convolution for one channel: what three equal channels would give."""
    stem.weight = nn.Parameter(stem.weight.sum(dim=1, keepdim=True))
    stem.in_channels = 1
    return stem
