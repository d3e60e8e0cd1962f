"""What training minimises: cross-entropy where a label is known, and a teacher's opinion where one is given."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from shared.labels import LABELS, LabelName

_MOST_WEIGHT = 6.0
# How often a label that no real picture annotates is expected among real pictures. A guess, far better than none: a
# network that saw devices on phantoms only takes the sharp edges of any real picture for a device.
EXPECTED_PREVALENCE: Mapping[LabelName, float] = {
    "Enlarged Cardiomediastinum": 0.03,
    "Fracture": 0.03,
    "Support Devices": 0.20,
}


def positive_weights(targets: NDArray[np.float32], known: NDArray[np.bool_]) -> torch.Tensor:
    """(14,) the square root of negatives per positive, at most 6: so rare findings count more."""
    positives = (targets * known).sum(axis=0)
    negatives = known.sum(axis=0) - positives
    ratio = np.sqrt(np.maximum(negatives, 1.0) / np.maximum(positives, 1.0))
    return torch.as_tensor(np.clip(ratio, 1.0, _MOST_WEIGHT), dtype=torch.float32)


def masked_loss(
    logits: torch.Tensor, targets: torch.Tensor, known: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Mean over the known entries of (B, 14); unknown ones give no gradient."""
    each = functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights, reduction="none")
    return (each * known).sum() / known.sum().clamp_min(1.0)


def distillation_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Cross-entropy against the teacher's probabilities, for every label of every picture, annotated or not."""
    return functional.binary_cross_entropy_with_logits(student, torch.sigmoid(teacher))


def prevalence_loss(logits: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of a label's mean probability, over the pictures that leave it unknown, with what is expected.

    Expectation regularisation (Mann and McCallum, ICML 2007), for the labels of EXPECTED_PREVALENCE.
    """
    terms = [logits.new_zeros(())]
    for label, expected in EXPECTED_PREVALENCE.items():
        column = LABELS.index(label)
        unknown = known[:, column] == 0
        if unknown.any():
            mean = torch.sigmoid(logits[unknown, column]).mean().clamp(1e-4, 1.0 - 1e-4)
            terms.append(functional.binary_cross_entropy(mean, torch.full_like(mean, expected)))
    return torch.stack(terms).sum()


def side_loss(logits: torch.Tensor, facts: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over the known entries of (B, F); NaN is unknown."""
    known = ~torch.isnan(facts)
    each = functional.binary_cross_entropy_with_logits(logits, facts.nan_to_num(0.0), reduction="none")
    return (each * known).sum() / known.sum().clamp_min(1)
