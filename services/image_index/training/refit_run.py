"""One label taught anew from what radiologists saw: fitted, calibrated, judged on test patients, and written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.metrics import PHANTOMS, LabelFigures
from services.image_index.examples.datasets import LabelledImages
from services.image_index.networks.build import build_torch
from services.image_index.parts import open_model
from services.image_index.training.calibration import fit_label
from services.image_index.training.pipeline import Parts
from services.image_index.training.refit import (
    Choice,
    Features,
    choose_reading,
    feature_maps,
    judged,
    members_of,
    own_reading,
)
from services.image_index.training.refit_folder import read_weights, with_reading, write_refitted
from shared.labels import LABELS, LabelName

_FEWEST_POSITIVES = 5
_CHANCE = 0.5
_COMPARED = 8  # pictures on which the other outputs are compared


@dataclass(frozen=True)
class Refit:
    """`before`, `after`: on test patients. `written`: only what is better than chance there is."""

    choice: Choice
    before: LabelFigures
    after: LabelFigures
    written: bool


def refit(
    source: Path,
    out: Path,
    label: LabelName,
    parts: Parts,
    *,
    version: str,
    on_part: Callable[[str], None] = lambda _name: None,
) -> Refit:
    """`parts`: pictures that radiologists read, with their labels alone (`gather_read`).

    Raises ValueError where they show the label too seldom, or for a model that was not trained here.
    """
    members = members_of(build_torch(source))
    column = LABELS.index(label)
    patients = parts.train.where(parts.train.sources != PHANTOMS)
    phantoms = parts.train.where(parts.train.sources == PHANTOMS)
    named = {"training": patients, "validation": parts.validation, "test": parts.test}
    known = {name: _showing(label, images, name) for name, images in named.items()}
    if len(phantoms):
        known["phantoms"] = phantoms
    features: dict[str, Features] = {}
    mean_maps: dict[str, Features] = {}
    for name, images in known.items():
        on_part(name)
        features[name], mean_maps[name] = feature_maps(members, images.pixels)
    truth = {name: images.targets[:, column] for name, images in known.items()}

    learned = [name for name in ("training", "phantoms") if name in known]
    choice = choose_reading(
        (np.concatenate([features[name] for name in learned]), np.concatenate([truth[name] for name in learned])),
        (features["validation"], truth["validation"]),
    )
    weights, reading = with_reading(read_weights(source), column, choice.reading, mean_maps["training"])
    platt, threshold = fit_label(reading(features["validation"]), truth["validation"])

    test = known["test"]
    before = judged(label, own_reading(members, column)(features["test"]), test)
    after = judged(label, reading(features["test"]), test)
    if before is None or after is None or after.interval is None:
        raise ValueError(f"the test patients' pictures do not tell how well {label} is read")
    if after.interval[0] <= _CHANCE:
        return Refit(choice, before, after, written=False)
    taught_by = {
        "readers": list(parts.readers),
        "training_pictures": len(known["training"]),
        "training_positives": int(truth["training"].sum()),
        "training_patients": len(np.unique(known["training"].patients)),
        "phantoms": len(phantoms),
        "validation_pictures": len(known["validation"]),
        "validation_positives": int(truth["validation"].sum()),
        "penalty": choice.penalty,
        "test_auroc_before": before.auroc,
        "test_auroc": after.auroc,
        "test_auroc_interval": list(after.interval),
    }
    write_refitted(source, out, label, weights, (platt, threshold), version=version, taught_by=taught_by)
    if not others_unmoved(source, out, column, test.pixels[:_COMPARED]):
        raise ValueError(f"{out} answers otherwise for other labels than {label}; it must not be used")
    return Refit(choice, before, after, written=True)


def _showing(label: LabelName, images: LabelledImages, name: str) -> LabelledImages:
    column = LABELS.index(label)
    read = images.where(images.known[:, column])
    positives = int(read.targets[:, column].sum())
    if positives < _FEWEST_POSITIVES or positives > len(read) - _FEWEST_POSITIVES:
        raise ValueError(
            f"of {len(read)} pictures of {name} patients that were read for {label}, {positives} show it: "
            f"at least {_FEWEST_POSITIVES} must, and as many must not"
        )
    return read


def others_unmoved(source: Path, out: Path, row: int, squares: NDArray[np.uint8]) -> bool:
    """Whether both folders say the same of these pictures (N, S, S), bit for bit, in all labels but that of `row`."""
    before, after = (open_model(folder, device="cpu").encode(list(squares)) for folder in (source, out))
    others = np.arange(len(before[0].probabilities)) != row
    return all(
        np.array_equal(old.probabilities[others], new.probabilities[others])
        and np.array_equal(old.cam[others], new.cam[others])
        for old, new in zip(before, after, strict=True)
    )
