"""What a training run needs to go on after it was stopped."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn
from torch.optim import Optimizer

from services.workbench.checkpoint_file import load_checkpoint, save_checkpoint


@dataclass
class Standing:
    """The next batch is number `batch` of `epoch`; `best` is the validation score of the best epoch so far."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float = -1.0
    epochs_without_gain: int = 0

    def end_epoch(self, score: float) -> bool:
        """Whether this epoch was the best so far."""
        gained = score > self.best
        self.best = max(score, self.best)
        self.epochs_without_gain = 0 if gained else self.epochs_without_gain + 1
        self.epoch, self.batch = self.epoch + 1, 0
        return gained


class Checkpoints:
    """`last.pt` is where the run stands, `best.pt` the best weights; each is replaced in one move."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._last = folder / "last.pt"
        self._best = folder / "best.pt"

    def save(self, network: nn.Module, optimizer: Optimizer, standing: Standing) -> None:
        state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "standing": vars(standing)}
        save_checkpoint(self._last, state)

    def save_best(self, network: nn.Module) -> None:
        save_checkpoint(self._best, {"network": network.state_dict()})

    def resume(self, network: nn.Module, optimizer: Optimizer) -> Standing:
        """Put both where they stood. A run that never saved starts from the beginning."""
        if not self._last.is_file():
            return Standing()
        stored = load_checkpoint(self._last)
        network.load_state_dict(stored["network"])
        optimizer.load_state_dict(stored["optimizer"])
        return Standing(**stored["standing"])

    def load_best(self, network: nn.Module) -> None:
        network.load_state_dict(load_checkpoint(self._best)["network"])
