"""Synthetic impressions whose labels are known by construction: what is said is drawn first, then worded.

No labeler takes part: a model trained on these texts learns from the plan behind them, not from rules that read them.
"""

import argparse
import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.text_classifier.examples.writer.scrawl import scrawl
from services.text_classifier.examples.writer.statements import Writer
from shared.labels import CHEXPERT_CODES, LABELS, NO_FINDING, SUPPORT_DEVICES, LabelName, State


@dataclass(frozen=True, slots=True)
class LabeledText:
    text: str
    states: dict[LabelName, State]


# Weights of the draw. How often an observation is present follows its rate in CheXpert impressions, flattened by a
# square root so that rare ones are learned too; doubt and denial follow what radiologists doubt and deny.
_PRESENT: Mapping[LabelName, float] = {
    "Atelectasis": 0.32, "Cardiomegaly": 0.30, "Consolidation": 0.22, "Edema": 0.24, "Enlarged Cardiomediastinum": 0.18,
    "Fracture": 0.20, "Lung Lesion": 0.24, "Lung Opacity": 0.57, "Pleural Effusion": 0.51, "Pleural Other": 0.16,
    "Pneumonia": 0.20, "Pneumothorax": 0.25, "Support Devices": 0.51,
}  # fmt: skip
_UNCERTAIN: Mapping[LabelName, float] = {
    "Atelectasis": 0.6, "Cardiomegaly": 0.4, "Consolidation": 0.35, "Edema": 0.55, "Enlarged Cardiomediastinum": 0.35,
    "Fracture": 0.15, "Lung Lesion": 0.2, "Lung Opacity": 0.35, "Pleural Effusion": 0.35, "Pleural Other": 0.1,
    "Pneumonia": 1.0, "Pneumothorax": 0.15,
}  # fmt: skip
_ABSENT: Mapping[LabelName, float] = {
    "Atelectasis": 0.1, "Cardiomegaly": 0.5, "Consolidation": 0.6, "Edema": 0.5, "Enlarged Cardiomediastinum": 0.4,
    "Fracture": 0.25, "Lung Lesion": 0.2, "Lung Opacity": 0.35, "Pleural Effusion": 0.9, "Pleural Other": 0.05,
    "Pneumonia": 0.4, "Pneumothorax": 1.0, "Support Devices": 0.12,
}  # fmt: skip
# Chances of 0, 1, 2, ... labels in each state.
_HOW_MANY_PRESENT = (0.14, 0.37, 0.29, 0.14, 0.05, 0.01)
_HOW_MANY_UNCERTAIN = (0.52, 0.25, 0.17, 0.06)
_HOW_MANY_ABSENT = (0.28, 0.20, 0.20, 0.18, 0.09, 0.05)
_NORMAL_SHARE = 0.18


def generate(seed: int, count: int) -> Iterator[LabeledText]:
    """Yield `count` labelled impressions. Same seed, same texts; a longer run begins with a shorter one."""
    for index in range(count):
        yield _compose(random.Random(f"{seed}:{index}"))


def _compose(rng: random.Random) -> LabeledText:
    planned = _plan(rng)
    writer = Writer(rng, planned)
    sentences = writer.write()
    states = dict.fromkeys(LABELS, State.NOT_MENTIONED) | writer.stated
    found = any(
        state in (State.PRESENT, State.UNCERTAIN) for label, state in states.items() if label != SUPPORT_DEVICES
    )
    if (writer.stated or writer.normality) and not found and not writer.other_abnormality:
        states[NO_FINDING] = State.PRESENT
    return LabeledText(scrawl(rng, sentences), states)


def _plan(rng: random.Random) -> dict[LabelName, State]:
    """Draw which labels the impression speaks of, each in one state."""
    planned: dict[LabelName, State] = {}
    draws: list[tuple[Mapping[LabelName, float], int, State]]
    if rng.random() < _NORMAL_SHARE:
        draws = [({SUPPORT_DEVICES: 1.0}, int(rng.random() < 0.3), State.PRESENT)]
    else:
        draws = [
            (_PRESENT, _how_many(rng, _HOW_MANY_PRESENT), State.PRESENT),
            (_UNCERTAIN, _how_many(rng, _HOW_MANY_UNCERTAIN), State.UNCERTAIN),
        ]
    draws.append((_ABSENT, _how_many(rng, _HOW_MANY_ABSENT), State.ABSENT))
    for weights, count, state in draws:
        for _ in range(count):
            open_labels = [label for label in weights if label not in planned]
            if open_labels:
                (label,) = rng.choices(open_labels, [weights[label] for label in open_labels])
                planned[label] = state
    return planned


def _how_many(rng: random.Random, chances: tuple[float, ...]) -> int:
    return rng.choices(range(len(chances)), chances)[0]


def write_csv(path: Path, texts: Iterator[LabeledText]) -> None:
    """CheXpert coding: 1 present, -1 uncertain, 0 absent, blank not mentioned; the text in column `impression`."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("impression", *LABELS))
        writer.writerows((text.text, *(CHEXPERT_CODES[text.states[label]] for label in LABELS)) for text in texts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write_csv(options.out, generate(options.seed, options.count))
