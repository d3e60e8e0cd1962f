"""Trains an encoder on radiographs and phantoms: masked labels, cosine schedule, early stopping, resumable."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from services.image_index.evaluation.metrics import Scores, stratified_auroc
from services.image_index.examples.datasets import LabelledImages
from services.image_index.networks.build import Architecture, CentredNet, build_network, freeze_early
from services.image_index.networks.ensemble import EnsembleNet
from services.image_index.networks.label_net import LabelNet
from services.image_index.training.augment import augment, normalise
from services.image_index.training.checkpoints import (
    BEST,
    LAST,
    Average,
    Progress,
    load_network,
)
from services.image_index.training.objective import (
    distillation_loss,
    masked_loss,
    positive_weights,
    prevalence_loss,
    side_loss,
)
from services.image_index.training.worker import Worker
from services.workbench.checkpoint_file import load_checkpoint, save_checkpoint


@dataclass(frozen=True)
class TrainOptions:
    """`teacher` is a checkpoint whose opinion is learned with weight `teacher_weight`; `start` one to go on from.

    `mixup`: the Beta distribution's parameter for blending pairs of pictures (Zhang et al., ICLR 2018); 0 is off.
    `mixed_precision`: convolutions in bfloat16, weights and sums in float32.
    `side_weight`: of what the table says beside the labels (`side_facts`).
    """

    architecture: Architecture = "efficientnet_lite0"
    pretrained: bool = True
    epochs: int = 20
    batch: int = 32
    learning_rate: float = 6e-4
    weight_decay: float = 0.02
    average_decay: float = 0.998
    warm_up_steps: int = 100
    patience: int = 8
    seed: int = 0
    prevalence_weight: float = 0.2
    side_weight: float = 0.3
    mixup: float = 0.2
    mixed_precision: bool = False
    frozen_blocks: int = 0
    start: Path | None = None
    teacher: Path | None = None
    teacher_weight: float = 0.7


@dataclass(frozen=True)
class EpochReport:
    epoch: int
    loss: float
    auroc: float
    best: float
    images_per_s: float


class _Learner(nn.Module):
    """What is trained: the network, and a second reading of its features that only guides it."""

    def __init__(self, network: LabelNet, side_facts: int) -> None:
        super().__init__()
        self.network = network
        self.side_head = nn.Linear(network.head.in_channels, side_facts)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 1, S, S) -> logits (B, 14) and those of the side facts (B, F)."""
        features = self.network.backbone(pixels)  # (B, C, h, w)
        return self.network.read(features)["logits"].float(), self.side_head(features.mean(dim=(2, 3))).float()


class Trainer:
    """One run in one folder. `fit` goes on from the folder's last checkpoint where there is one.

    A batch is shared out among the workers, so a run takes the same steps with one as with several.
    """

    def __init__(
        self,
        options: TrainOptions,
        train: LabelledImages,
        validation: LabelledImages,
        folder: Path,
        worker: Worker | None = None,
    ) -> None:
        self._options, self._train, self._validation, self._folder = options, train, validation, folder
        self._worker = worker or Worker()
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(options.seed)
        self._network: LabelNet = build_network(options.architecture, pretrained=options.pretrained)
        if options.start is not None:
            self._network.load_state_dict(load_checkpoint(options.start)["average"])
        if options.frozen_blocks:
            freeze_early(self._network, options.frozen_blocks)
        device = self._worker.device
        self._learner = _Learner(self._network, train.side_facts.shape[1])
        self._learner.to(device).to(memory_format=torch.channels_last)
        self._shared = self._worker.share(self._learner)
        self._teacher = load_network(options.teacher).to(device) if options.teacher else None
        self._weights = positive_weights(train.targets, train.known).to(device)
        self._optimizer = torch.optim.AdamW(
            _parameter_groups(self._learner, options.weight_decay), lr=options.learning_rate
        )
        self._average = Average(self._network, options.average_decay)
        self.progress = Progress()
        if (folder / LAST).is_file():
            self._restore(load_checkpoint(folder / LAST))

    @property
    def _steps_per_epoch(self) -> int:
        return max(1, len(self._train) // self._options.batch)

    def fit(self, *, until: int | None = None, report: Callable[[EpochReport], None] = lambda _: None) -> Path:
        """Train to the last epoch (or `until`), or until patience ends; returns the best checkpoint."""
        while self.progress.epoch < (until or self._options.epochs) and not self._out_of_patience():
            started = time.perf_counter()
            loss = self._epoch(self.progress.epoch)
            speed = self._steps_per_epoch * self._options.batch / (time.perf_counter() - started)
            auroc = self._worker.agree(self._validate() if self._worker.leads else 0.0)
            self.progress.epoch += 1
            better = auroc > self.progress.best
            if better:
                self.progress.best, self.progress.best_epoch = auroc, self.progress.epoch
            self.progress.history.append({"loss": loss, "auroc": auroc})
            if self._worker.leads:
                self._save(better=better)
                report(EpochReport(self.progress.epoch, loss, auroc, self.progress.best, speed))
        return self._folder / BEST

    def _save(self, *, better: bool) -> None:
        content = self._content()
        save_checkpoint(self._folder / LAST, content)
        if better:
            kept = ("architecture", "side", "average")
            save_checkpoint(self._folder / BEST, {name: content[name] for name in kept})

    def _out_of_patience(self) -> bool:
        return self.progress.epoch - self.progress.best_epoch >= self._options.patience

    def _epoch(self, epoch: int) -> float:
        """Everything random in an epoch follows from its number, so a resumed run repeats it exactly."""
        options, data, worker = self._options, self._train, self._worker
        order = np.random.default_rng([options.seed, epoch]).permutation(len(data))
        rng = np.random.default_rng([options.seed, epoch, worker.rank])
        torch.manual_seed((options.seed * 100_003 + epoch) * 1009 + worker.rank)
        self._learner.train()
        losses = []
        for step in range(self._steps_per_epoch):
            rows = order[step * options.batch : (step + 1) * options.batch][worker.rank :: worker.count]
            self._set_rate(epoch * self._steps_per_epoch + step)
            loss = self._loss(augment(data.pixels[rows], rng).to(worker.device), rows, rng)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self._learner.parameters(), 5.0)
            self._optimizer.step()
            self._average.update(self._network)
            losses.append(loss.item())
        return float(np.mean(losses))

    def _loss(self, pixels: torch.Tensor, rows: NDArray[np.intp], rng: np.random.Generator) -> torch.Tensor:
        """Of the batch whose pictures (B, 1, S, S) are those of `rows`; with mixup, of each picture's two halves."""
        options = self._options
        halves = [(rows, 1.0)]
        if options.mixup > 0.0:
            share = float(rng.beta(options.mixup, options.mixup))
            partner = rng.permutation(len(rows))
            pixels = share * pixels + (1.0 - share) * pixels[partner]
            halves = [(rows, share), (rows[partner], 1.0 - share)]
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=options.mixed_precision):
            logits, side = self._shared(pixels)
        loss: torch.Tensor = logits.new_zeros(())
        for half, weight in halves:
            targets = torch.as_tensor(self._train.learned[half], device=pixels.device)
            known = torch.as_tensor(self._train.known[half], device=pixels.device)
            facts = torch.as_tensor(self._train.side_facts[half], device=pixels.device)
            loss = loss + weight * (
                masked_loss(logits, targets, known.float(), self._weights)
                + options.prevalence_weight * prevalence_loss(logits, known)
                + options.side_weight * side_loss(side, facts)
            )
        if self._teacher is None:
            return loss
        with torch.no_grad():
            opinion = self._teacher(pixels)["logits"]
        return (1.0 - options.teacher_weight) * loss + options.teacher_weight * distillation_loss(logits, opinion)

    def _set_rate(self, step: int) -> None:
        """Linear warm-up, then half a cosine down to 1 % of the rate."""
        options = self._options
        total = options.epochs * self._steps_per_epoch
        cosine = 0.505 + 0.495 * math.cos(math.pi * min(1.0, step / total))
        for group in self._optimizer.param_groups:
            group["lr"] = options.learning_rate * min(1.0, (step + 1) / options.warm_up_steps) * cosine

    def _validate(self) -> float:
        """Macro AUROC of the averaged weights, within each source, so that telling sources apart earns nothing."""
        network = build_network(self._options.architecture)
        network.load_state_dict(self._average.state)
        network.to(self._worker.device)
        data = self._validation
        return stratified_auroc(predict_logits(network, data.pixels), data.targets, data.known, data.sources)

    def _content(self) -> dict[str, Any]:
        return {
            "architecture": self._options.architecture,
            "side": int(self._train.pixels.shape[-1]),
            "average": self._average.state,
            "average_steps": self._average.steps,
            "network": self._network.state_dict(),
            "side_head": self._learner.side_head.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "progress": vars(self.progress),
        }

    def _restore(self, content: dict[str, Any]) -> None:
        self._network.load_state_dict(content["network"])
        self._learner.side_head.load_state_dict(content["side_head"])
        self._optimizer.load_state_dict(content["optimizer"])
        self._average.restore(content["average"], content["average_steps"])
        self.progress = Progress(**content["progress"])


def _parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Biases and norms are not decayed."""
    matrices = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


@torch.no_grad()
def centre_maps(network: LabelNet | EnsembleNet, pixels: NDArray[np.uint8], batch: int = 64) -> CentredNet:
    """`pixels` (N, S, S): usual pictures, whose mean map is taken away from every map."""
    network.eval()
    total = sum(network(normalise(pixels[i : i + batch]))["cam"].sum(dim=0) for i in range(0, len(pixels), batch))
    mean = torch.as_tensor(total) / len(pixels)  # (14, h, w)
    return CentredNet(network, (mean - mean.mean(dim=(1, 2), keepdim=True)).unsqueeze(0)).eval()


@torch.no_grad()
def predict_logits(network: LabelNet | EnsembleNet, pixels: NDArray[np.uint8], batch: int = 128) -> Scores:
    """(N, S, S) uint8 -> (N, 14), without augmentation, on the device that the network is on."""
    network.eval().to(memory_format=torch.channels_last)
    device = next(network.parameters()).device
    batches = (normalise(pixels[i : i + batch]).to(device) for i in range(0, len(pixels), batch))
    return np.concatenate([network(each)["logits"].float().cpu().numpy() for each in batches])
