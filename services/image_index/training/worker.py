"""One process among those that train together: alone on a laptop, or one per GPU where torchrun started several."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from shared.settings import Device


@dataclass(frozen=True)
class Worker:
    """`rank` of `count` processes. Rank 0 validates, saves and reports."""

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, network: nn.Module) -> nn.Module:
        """The network as this worker runs it: with several, gradients are averaged over all of them."""
        if self.count == 1:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        return cast("nn.Module", DistributedDataParallel(network, device_ids=devices))

    def agree(self, value: float) -> float:
        """Rank 0's value, in every process."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return float(shared.item())


@contextmanager
def working(device: Device = "auto") -> Iterator[Worker]:
    """The worker that the process is, by the environment that torchrun sets.

    Raises ValueError for a GPU that is not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("no CUDA device is there; leave --device out, or say cpu")
    on_gpu = device != "cpu" and torch.cuda.is_available()
    count = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if count == 1:
        yield Worker(device=chosen)
        return
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Worker(distributed.get_rank(), count, chosen)
    finally:
        distributed.destroy_process_group()
