"""How well the gate does: what it keeps of radiographs, and what it refuses of everything else."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.image_index.encoding.chest_gate import ChestGate
from services.image_index.encoding.chest_gate.features import Features
from services.image_index.examples.phantoms.phantom import make_phantom
from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.read import read_radiograph
from services.image_index.training.gate import variations
from services.image_index.training.gate.examples import Radiographs, all_features, phantoms
from services.image_index.training.gate.examples import variations as varied_in_all_ways
from services.image_index.training.gate.fit import calibrated, fit
from services.image_index.training.gate.negatives import FAMILIES

THRESHOLD = 0.5
_SEED = 99
_ONE_WAY: Mapping[str, Callable[..., Any]] = {
    "turned": variations.turned,
    "cropped": variations.cropped,
    "border": variations.bordered,
    "exposure": variations.exposed,
    "grain": variations.grainy,
    "coarse": variations.coarse,
    "JPEG again": variations.recompressed,
    "marks": variations.marked,
}
_PHANTOM_SIZES = (64, 128, 256, 512, 1024)


def kept(gate: ChestGate, radiographs: Radiographs, dicom: Sequence[Path] = ()) -> dict[str, dict[str, float]]:
    """Of the test patients' radiographs and of new phantoms: how many there are, and the share that passes."""
    groups = {source: radiographs.of("test", source) for source in np.unique(radiographs.images.sources).tolist()}
    every = radiographs.of("test")
    groups |= {"all": every, "all, varied in all ways": varied_in_all_ways(every, _SEED)}
    groups |= {f"all, {name}": _changed(every, change) for name, change in _ONE_WAY.items()}
    groups["phantoms"] = phantoms("test", 100)
    groups |= {f"phantoms of {size} pixels": _phantoms_of(size) for size in _PHANTOM_SIZES}
    groups |= {file.name: [read_radiograph(file.read_bytes()).grey] for file in dicom}
    return {name: _share(gate.scores(all_features(pictures)), passes=True) for name, pictures in groups.items()}


def odd_ones(gate: ChestGate, radiographs: Radiographs) -> dict[str, dict[str, float]]:
    """Chest radiographs, but not as they should come: reported, neither fitted to pass nor to fail."""
    every = radiographs.of("test")
    turned = {
        "upside down": [picture[::-1] for picture in every],
        "on its side": [np.rot90(picture) for picture in every],
        "air light, bone dark": [255 - picture for picture in every],
    }
    return {name: _share(gate.scores(all_features(pictures)), passes=True) for name, pictures in turned.items()}


def refused(gate: ChestGate, judged: Mapping[str, Features]) -> dict[str, dict[str, float]]:
    return {kind: _share(gate.scores(features), passes=False) for kind, features in judged.items()}


def refused_unseen(
    chests: Features, validation: Sequence[Features], others: Mapping[str, Features], judged: Mapping[str, Features]
) -> dict[str, dict[str, float]]:
    """The same of gates that were fitted without the kind's whole family."""
    found: dict[str, dict[str, float]] = {}
    for family in FAMILIES.values():
        seen = np.concatenate([features for kind, features in others.items() if kind not in family])
        gate = ChestGate(calibrated(fit(chests, seen), validation))
        found |= refused(gate, {kind: judged[kind] for kind in family if kind in judged})
    return found


def _changed(pictures: Sequence[Grey], change: Callable[..., Any]) -> list[Grey]:
    return [
        np.asarray(change(variations.as_picture(picture), np.random.default_rng([_SEED, number])))
        for number, picture in enumerate(pictures)
    ]


def _phantoms_of(size: int) -> list[Grey]:
    return [make_phantom(9_000 + seed, size=size).pixels for seed in range(10)]


def _share(scores: NDArray[np.float64], *, passes: bool) -> dict[str, float]:
    right = scores >= THRESHOLD if passes else scores < THRESHOLD
    return {"pictures": len(scores), "share": float(right.mean()), "median_score": float(np.median(scores))}
