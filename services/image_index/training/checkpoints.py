"""Saves a training run so that it can go on exactly where it stopped."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from services.image_index.networks.build import Architecture, build_network
from services.image_index.networks.label_net import LabelNet
from services.workbench.checkpoint_file import load_checkpoint

LAST, BEST = "last.pt", "best.pt"


@dataclass
class Progress:
    """`epoch` epochs are done; `best` is the highest validation figure so far, of epoch `best_epoch`."""

    epoch: int = 0
    best: float = float("-inf")
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def load_network(checkpoint: Path) -> LabelNet:
    """The averaged weights of a checkpoint, in eval mode."""
    content = load_checkpoint(checkpoint)
    architecture: Architecture = content["architecture"]
    network = build_network(architecture)
    network.load_state_dict(content["average"])
    return network.eval()


class Average:
    """Exponential moving average of a network's weights and buffers: less noisy than the last step's."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self.steps = 0
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.steps += 1
        decay = min(self._decay, self.steps / (self.steps + 10.0))  # the start weights fade fast
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1.0 - decay)
            else:
                self.state[name].copy_(value)

    def restore(self, state: dict[str, torch.Tensor], steps: int) -> None:
        for name, value in state.items():
            self.state[name].copy_(value)
        self.steps = steps
