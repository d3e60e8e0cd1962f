"""Examples as padded tensors, those of similar length together."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from services.text_classifier.examples.labelled import Example
from services.text_classifier.reading.tokens import ReportTokenizer

WIDTH_STEP = 8
"""Widths are rounded up to it: processors prepare a kernel for every new shape, and keep it."""


@dataclass(frozen=True)
class Batch:
    """`input_ids` and `attention_mask` (B, T); `states` (B, 14) with UNKNOWN where a label is not known.

    `positions` says which of the examples they are.
    """

    positions: Sequence[int]
    input_ids: Tensor
    attention_mask: Tensor
    states: Tensor


class BatchMaker:
    """`fits` says which texts to train on: a longer one would be cut here, and its labels might lie in what is cut."""

    def __init__(self, tokenizer: Tokenizer, *, batch_size: int, max_tokens: int) -> None:
        self._tokenizer = ReportTokenizer(tokenizer)
        self._batch_size = batch_size
        self._max_tokens = max_tokens

    def fits(self, text: str) -> bool:
        return len(self._tokenizer(text).ids) <= self._max_tokens - 2

    def batches(
        self, examples: Sequence[Example], rng: random.Random | None = None, change: Callable[[str], str] = str
    ) -> Iterator[Batch]:
        """All examples, their texts changed by `change`; in random order of batches where `rng` is given."""
        texts = [change(example.text) for example in examples]
        ids = [self._tokenizer(text).ids[: self._max_tokens - 2] for text in texts]
        jitter = [rng.random() * 6 if rng else 0.0 for _ in examples]
        order = sorted(range(len(examples)), key=lambda i: len(ids[i]) + jitter[i])
        groups = [order[i : i + self._batch_size] for i in range(0, len(order), self._batch_size)]
        if rng:
            rng.shuffle(groups)
        for group in groups:
            yield self._batch(group, [ids[i] for i in group], [examples[i] for i in group])

    def _batch(self, positions: Sequence[int], ids: Sequence[NDArray[np.int64]], examples: Sequence[Example]) -> Batch:
        framed = [self._tokenizer.frame(row) for row in ids]
        width = -(-max(map(len, framed)) // WIDTH_STEP) * WIDTH_STEP
        input_ids = torch.full((len(framed), width), self._tokenizer.pad, dtype=torch.long)
        mask = torch.zeros_like(input_ids)
        for row, sequence in enumerate(framed):
            input_ids[row, : len(sequence)] = torch.from_numpy(sequence)
            mask[row, : len(sequence)] = 1
        states = torch.from_numpy(np.stack([example.states for example in examples])).long()
        return Batch(positions, input_ids, mask, states)
