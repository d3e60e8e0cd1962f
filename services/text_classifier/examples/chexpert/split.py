"""Which of the three tables an image goes into: 70 % train, 15 % val, 15 % test."""

from typing import Literal

from services.workbench.fraction import fraction_of

Part = Literal["train", "val", "test"]
Split = Literal["patient", "original"]
PARTS: tuple[Part, ...] = ("train", "val", "test")
_TEST, _VALIDATION = 0.15, 0.15


def part_of_patient(patient: str) -> Part:
    """The same for ever. `test` holds the patients that the training of an image encoder keeps for its test, too."""
    return _part(fraction_of(f"chexpert:{patient}"))


def part_of_image(key: str, seed: int) -> Part:
    """As the original project parted them: at random, so that a patient's images stand on all sides."""
    return _part(fraction_of(f"{seed}:{key}"))


def _part(fraction: float) -> Part:
    if fraction < _TEST:
        return "test"
    return "val" if fraction < _TEST + _VALIDATION else "train"
