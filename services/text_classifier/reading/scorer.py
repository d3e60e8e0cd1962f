"""Runs the model over token sequences and reads its outputs as probabilities of the four states."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.inference.session import Session
from services.text_classifier.reading.model_folder import ModelFolder
from shared.labels import LABELS, State

Floats = NDArray[np.float64]
TOKENS_PER_RUN = {"cpu": 256, "cuda": 16_384}
"""At most, padding included. On a CPU a token costs least with 200 to 800 of them, and a third more with 4096."""

RUN_COSTS_TOKENS = {"cpu": 20, "cuda": 4096}
"""What a run costs whatever it computes: its weights pass through the caches once, or its kernels are launched."""

STATES = tuple(State)
PRESENT = STATES.index(State.PRESENT)
UNCERTAIN = STATES.index(State.UNCERTAIN)
ABSENT = STATES.index(State.ABSENT)
NOT_MENTIONED = STATES.index(State.NOT_MENTIONED)


@dataclass(frozen=True)
class Score:
    """`posterior` (14, 4): the probability of each state, by `LABELS` and `State`; rows sum to 1.

    `attention` (14, T): where each label was read among the sequence's tokens; None where the model does not say.
    """

    posterior: Floats
    attention: NDArray[np.float32] | None


class Scorer:
    def __init__(self, folder: ModelFolder, session: Session, pad: int) -> None:
        self._session = session
        self._pad = pad
        self.tokens_per_run = TOKENS_PER_RUN[session.device]
        self._run_costs = RUN_COSTS_TOKENS[session.device]
        self._order = list(folder.order)
        self._sigmoid = folder.outputs == "sigmoid"
        self._slopes = np.array([folder.calibration[label].slope for label in LABELS])
        self._intercepts = np.array([folder.calibration[label].intercept for label in LABELS])

    def score(self, sequences: Sequence[NDArray[np.int64]], *, crowded: bool = False) -> list[Score]:
        """One score for each sequence, in order. Sequences of similar length share a run."""
        scores: dict[int, Score] = {}
        for batch in _runs([len(sequence) for sequence in sequences], self.tokens_per_run, self._run_costs):
            outputs = self._session.run(_padded([sequences[i] for i in batch], self._pad), crowded=crowded)
            posteriors = self._posteriors(outputs["logits"][:, self._order])
            attention = outputs.get("attention")
            for row, i in enumerate(batch):
                seen = None if attention is None else attention[row][self._order, : len(sequences[i])]
                scores[i] = Score(posteriors[row], seen)
        return [scores[i] for i in range(len(sequences))]

    def _posteriors(self, logits: NDArray[Any]) -> Floats:
        """(B, 14, 4) state logits, or (B, 14) logits of present, to (B, 14, 4) probabilities.

        The probability of present is calibrated; the other states share the rest as the model shared it. All are whole
        millionths, so that a text's neighbours in a batch cannot show in them: what rounding leaves is not mentioned.
        """
        logits = logits.astype(np.float64)
        if self._sigmoid:
            log_odds, others = logits, np.broadcast_to([0.0, 0.0, 1.0], (*logits.shape, 3))
        else:
            rest = logits[..., 1:]
            peak = rest.max(axis=-1, keepdims=True)
            exponents = np.exp(rest - peak)
            total = exponents.sum(axis=-1, keepdims=True)
            log_odds = logits[..., PRESENT] - (peak + np.log(total))[..., 0]
            others = exponents / total
        present = np.round(_sigmoid(self._slopes * log_odds + self._intercepts), 6)[..., None]
        stated = np.concatenate((present, np.floor((1 - present) * others[..., :-1] * 1e6) / 1e6), axis=-1)
        return np.concatenate((stated, np.round(1 - stated.sum(axis=-1, keepdims=True), 6)), axis=-1)


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(0.5 * x))


def _runs(lengths: Sequence[int], most: int, run_costs: int) -> list[list[int]]:
    """Positions of sequences in runs of at most `most` tokens after padding (a longer one runs alone), at least cost.

    A run costs as much as `run_costs` tokens beside those that it computes, padding included. Runs of the least total
    cost are made of neighbours in length, so they are found by dynamic programming over the sorted lengths.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    costs, starts = [0], [0]  # of the best runs of the first n sequences; where the last of those runs begins
    for end in range(1, len(order) + 1):
        longest = lengths[order[end - 1]]
        most_rows = max(1, most // longest)
        options = (
            (costs[start] + run_costs + (end - start) * longest, start) for start in range(max(0, end - most_rows), end)
        )
        cost, start = min(options)
        costs.append(cost)
        starts.append(start)
    runs, end = [], len(order)
    while end:
        runs.append(order[starts[end] : end])
        end = starts[end]
    return runs


def _padded(sequences: Sequence[NDArray[np.int64]], pad: int) -> dict[str, NDArray[np.int64]]:
    shape = len(sequences), max(map(len, sequences))
    ids, mask = np.full(shape, pad, np.int64), np.zeros(shape, np.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return {"input_ids": ids, "attention_mask": mask}
