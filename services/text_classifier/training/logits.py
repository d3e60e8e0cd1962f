"""A network's outputs over examples, and the score by which training picks its best epoch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from services.text_classifier.examples.labelled import STATES, UNKNOWN, Example
from services.text_classifier.network import LabelAttentionNetwork
from services.text_classifier.training.batches import BatchMaker
from shared.labels import State

PRESENT = STATES.index(State.PRESENT)


def network_logits(
    network: LabelAttentionNetwork, maker: BatchMaker, examples: Sequence[Example], device: torch.device
) -> NDArray[np.float64]:
    """(N, 14, 4), in the examples' order."""
    network.eval()
    logits: dict[int, NDArray[np.float64]] = {}
    with torch.inference_mode():
        for batch in maker.batches(examples):
            outputs = network(batch.input_ids.to(device), batch.attention_mask.to(device))["logits"]
            logits.update(zip(batch.positions, outputs.double().cpu().numpy(), strict=True))
    return np.stack([logits[i] for i in range(len(examples))])


def log_odds_of_present(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 14, 4) to (N, 14): the logit of present against all other states together."""
    rest = logits[..., PRESENT + 1 :]
    peak = rest.max(axis=-1)
    odds: NDArray[np.float64] = logits[..., PRESENT] - peak - np.log(np.exp(rest - peak[..., None]).sum(axis=-1))
    return odds


def macro_f1_of_present(logits: NDArray[np.float64], states: NDArray[np.int8]) -> float:
    """Mean over the labels that occur; a text whose label is unknown does not count for it."""
    called, known = log_odds_of_present(logits) >= 0, states != UNKNOWN
    truth = states == PRESENT
    hits = (called & truth & known).sum(axis=0)
    total = ((called & known).sum(axis=0) + (truth & known).sum(axis=0))[truth.any(axis=0)]
    return float((2 * hits[truth.any(axis=0)] / np.maximum(total, 1)).mean())
