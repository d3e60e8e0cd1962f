"""The training loop: resumable at any batch, because the order of batches follows from the seed alone."""

import math
import random
import time
import timeit
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from services.text_classifier.examples.labelled import UNKNOWN, Example
from services.text_classifier.examples.sources import Parts
from services.text_classifier.network import LabelAttentionNetwork
from services.text_classifier.training.augment import augmented
from services.text_classifier.training.batches import Batch, BatchMaker
from services.text_classifier.training.checkpoint import Checkpoints, Standing
from services.text_classifier.training.logits import macro_f1_of_present, network_logits
from services.text_classifier.training.options import Options
from shared.labels import State

HEAD_LEARNING_RATE_FACTOR = 10
WARMUP = 0.06
WEIGHT_DECAY = 0.01
MAX_GRADIENT_NORM = 1.0
SAVE_EVERY_S = 120.0


class Run:
    def __init__(self, network: LabelAttentionNetwork, maker: BatchMaker, parts: Parts, options: Options) -> None:
        self._network = network
        self._maker = maker
        self._parts = parts
        self._options = options
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._half = half_precision_pays(self._device)
        network.to(self._device)
        self._state_weights = state_weights(parts.train).to(self._device)
        self._optimizer = torch.optim.AdamW(_parameter_groups(network, options.learning_rate), fused=True)
        self._checkpoints = Checkpoints(options.out / "checkpoints")
        self._steps = options.epochs * math.ceil(len(parts.training_texts(0)) / options.batch_size)

    def to_the_end(self) -> None:
        """Leaves the network with its best weights, on the CPU, in eval mode."""
        standing = self._checkpoints.resume(self._network, self._optimizer)
        with _progress() as progress:
            progress.add_task("", total=self._steps, completed=standing.step)
            while standing.epoch < self._options.epochs and standing.epochs_without_gain < self._options.patience:
                self._train_epoch(standing, progress)
                score = self._validate()
                if standing.end_epoch(score):
                    self._checkpoints.save_best(self._network)
                self._checkpoints.save(self._network, self._optimizer, standing)
                progress.console.print(f"epoch {standing.epoch}: validation macro-F1 of present {score:.4f}")
        self._checkpoints.load_best(self._network)
        self._network.cpu().eval()

    def _train_epoch(self, standing: Standing, progress: Progress) -> None:
        self._network.train()
        saved = time.monotonic()
        smoothed: float | None = None
        for number, batch in enumerate(self._batches(standing.epoch)):
            if number < standing.batch:
                continue
            loss = self._step(batch, standing.step)
            smoothed = loss if smoothed is None else 0.98 * smoothed + 0.02 * loss
            standing.batch, standing.step = number + 1, standing.step + 1
            note = f"epoch {standing.epoch + 1}, loss {smoothed:.3f}"
            progress.update(TaskID(0), completed=standing.step, description=note)
            if time.monotonic() - saved > SAVE_EVERY_S:
                self._checkpoints.save(self._network, self._optimizer, standing)
                progress.console.print(f"step {standing.step} of {self._steps}, loss {smoothed:.3f}")
                saved = time.monotonic()

    def _batches(self, epoch: int) -> Iterator[Batch]:
        rng = random.Random(f"{self._options.seed}-{epoch}")
        examples = [example for example in self._parts.training_texts(epoch) if self._maker.fits(example.text)]
        return self._maker.batches(examples, rng, lambda text: augmented(text, rng))

    def _step(self, batch: Batch, step: int) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak_lr"] * _schedule(step, self._steps)
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._half):
            outputs = self._network(batch.input_ids.to(self._device), batch.attention_mask.to(self._device))
        loss = state_loss(outputs["logits"].float(), batch.states.to(self._device), self._state_weights)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), MAX_GRADIENT_NORM)
        self._optimizer.step()
        return loss.item()

    def _validate(self) -> float:
        logits = network_logits(self._network, self._maker, self._parts.validation, self._device)
        return macro_f1_of_present(logits, np.stack([example.states for example in self._parts.validation]))


def state_loss(logits: Tensor, states: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross-entropy over the states of each label. (B, 14, 4), (B, 14), (14, 4) to a scalar."""
    known = states != UNKNOWN
    target = states.clamp(min=0)
    each = -logits.log_softmax(dim=-1).gather(-1, target[..., None])[..., 0]  # (B, 14)
    weight = weights.expand(len(states), -1, -1).gather(-1, target[..., None])[..., 0] * known
    return (each * weight).sum() / known.sum().clamp(min=1)


def state_weights(examples: Sequence[Example]) -> Tensor:
    """Rare states weigh more, by the root of how rare they are and at most fourfold: (14, 4).

    The root, because a full correction makes the model call rare findings on the slightest hint.
    """
    states = np.stack([example.states for example in examples])
    counts = np.stack([(states == state).sum(axis=0) for state in range(len(State))], axis=1)  # (14, 4)
    expected = len(examples) / len(State)
    return torch.tensor(np.clip(np.sqrt(expected / np.maximum(counts, 1)), 0.7, 4.0), dtype=torch.float32)


def _parameter_groups(network: LabelAttentionNetwork, learning_rate: float) -> list[dict[str, Any]]:
    """The heads start from nothing and learn faster than the encoder; norms and biases do not decay."""
    groups = []
    for is_head in (False, True):
        for decays in (False, True):
            chosen = [
                parameter
                for name, parameter in network.named_parameters()
                if name.startswith("encoder.") != is_head and (parameter.ndim > 1) == decays
            ]
            peak = learning_rate * (HEAD_LEARNING_RATE_FACTOR if is_head else 1)
            decay = WEIGHT_DECAY if decays else 0.0
            groups.append({"params": chosen, "lr": 0.0, "peak_lr": peak, "weight_decay": decay})
    return groups


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up, then a cosine to zero."""
    warmup = max(1, int(WARMUP * steps))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, steps - warmup))))


def half_precision_pays(device: torch.device) -> bool:
    """Whether this processor multiplies bfloat16 matrices faster than single precision.

    Tried, as none says so; and forty times, as the first tries are slow.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    seconds = {}
    for dtype in (torch.bfloat16, torch.float32):
        matrix = torch.ones(384, 1536, dtype=dtype)
        seconds[dtype] = min(timeit.repeat(partial(torch.mm, matrix, matrix.T), number=2, repeat=40))
    return bool(seconds[torch.bfloat16] < 0.8 * seconds[torch.float32])


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
