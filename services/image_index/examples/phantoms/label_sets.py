"""Which findings occur together, and how often.

Counts are of the frequent label sets in 4,415 CheXpert reports (Irvin et al., AAAI 2019), sets that differ only by
Support Devices counted together: devices are added back by their share, whatever the finding.
"""

from collections.abc import Sequence

import numpy as np

from shared.labels import LABELS, NO_FINDING, SUPPORT_DEVICES, LabelName

LabelSet = tuple[LabelName, ...]

FREQUENT_SETS: Sequence[tuple[int, LabelSet]] = (
    (785, ("No Finding",)),
    (414, ("Lung Opacity",)),
    (253, ("Pleural Effusion",)),
    (231, ("Lung Opacity", "Pleural Effusion")),
    (119, ("Cardiomegaly",)),
    (98, ("Atelectasis",)),
    (92, ("Pneumothorax",)),
    (88, ("Atelectasis", "Pleural Effusion")),
    (84, ("Fracture",)),
    (68, ("Atelectasis", "Lung Opacity")),
    (66, ("Lung Lesion",)),
    (61, ("Lung Lesion", "Lung Opacity")),
    (52, ("Enlarged Cardiomediastinum",)),
    (50, ("Atelectasis", "Lung Opacity", "Pleural Effusion")),
    (40, ("Cardiomegaly", "Pleural Effusion")),
    (39, ("Pneumonia",)),
    (39, ("Consolidation",)),
    (38, ("Lung Opacity", "Pneumonia")),
    (37, ("Edema",)),
    (36, ("Cardiomegaly", "Lung Opacity")),
    (34, ("Consolidation", "Pleural Effusion")),
    (32, ("Pleural Other",)),
    (32, ("Lung Opacity", "Pleural Other")),
    (32, ("Pleural Effusion", "Pneumothorax")),
    (26, ("Consolidation", "Lung Opacity")),
    (26, ("Cardiomegaly", "Enlarged Cardiomediastinum")),
    (25, ("Cardiomegaly", "Edema")),
    (24, ("Edema", "Lung Opacity")),
    (23, ("Edema", "Pleural Effusion")),
    (18, ("Consolidation", "Pneumonia")),
    (17, ("Lung Lesion", "Pleural Effusion")),
    (16, ("Cardiomegaly", "Edema", "Pleural Effusion")),
    (16, ("Fracture", "Lung Opacity")),
    (11, ("Cardiomegaly", "Edema", "Lung Opacity", "Pleural Effusion")),
    (10, ("Enlarged Cardiomediastinum", "Lung Opacity", "Pleural Effusion")),
)
DEVICE_SHARE = 0.36


def draw_labels(rng: np.random.Generator, *, balance: float = 0.0) -> LabelSet:
    """A label set as frequent as in reports; with probability `balance`, one that holds an evenly drawn finding."""
    wanted = LABELS[int(rng.integers(len(LABELS)))] if rng.random() < balance else None
    candidates = [(count, labels) for count, labels in FREQUENT_SETS if wanted in labels] or list(FREQUENT_SETS)
    counts = np.array([count for count, _ in candidates], dtype=np.float64)
    labels = candidates[int(rng.choice(len(candidates), p=counts / counts.sum()))][1]
    with_devices = wanted == SUPPORT_DEVICES or rng.random() < DEVICE_SHARE
    return (*labels, SUPPORT_DEVICES) if with_devices else labels


def check_labels(labels: Sequence[LabelName]) -> LabelSet:
    """The labels in the project's order. Raises ValueError for unknown, missing or contradictory ones."""
    unknown = set(labels) - set(LABELS)
    if unknown or not labels:
        raise ValueError(f"expected some of the 14 labels, got {sorted(unknown) or 'none'}")
    if NO_FINDING in labels and set(labels) - {NO_FINDING, SUPPORT_DEVICES}:
        raise ValueError("No Finding goes with Support Devices only")
    return tuple(label for label in LABELS if label in labels)
