"""What the gate is fitted on and judged by, as features: radiographs and phantoms by part, other pictures by kind."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.image_index.encoding.chest_gate.features import Features, features_of
from services.image_index.examples.datasets import LabelledImages, join
from services.image_index.examples.sources import Part, parts_of, phantom_images, read_source
from services.image_index.pictures.radiograph import Grey
from services.image_index.training.gate.negatives import kinds
from services.image_index.training.gate.variations import varied

SIDE = 128  # of the pictures that are held
_VARIED_EACH = 2
_SLOWLY_DRAWN = ("knee", "limb", "hand", "foot", "skull", "jaws", "abdomen", "pelvis", "spine", "breast")
_PHANTOM_SEEDS: Mapping[Part, int] = {"train": 11, "validation": 12, "test": 13}


@dataclass(frozen=True)
class Radiographs:
    """The pictures of all folders, each folder's patients in their parts for ever."""

    images: LabelledImages
    parts: NDArray[np.str_]

    @classmethod
    def read(cls, sources: Sequence[Path]) -> "Radiographs":
        images = join([read_source(source, SIDE) for source in sources])
        return cls(images, parts_of(images))

    def of(self, part: Part, source: str | None = None) -> list[Grey]:
        chosen = self.parts == part
        if source is not None:
            chosen &= self.images.sources == source
        return list(self.images.pixels[chosen])


def phantoms(part: Part, count: int) -> list[Grey]:
    return list(phantom_images(count, _PHANTOM_SEEDS[part], SIDE).pixels)


def all_features(pictures: Iterable[Grey]) -> Features:
    return np.stack([features_of(picture) for picture in pictures])


def variations(pictures: Sequence[Grey], seed: int) -> list[Grey]:
    """Each of them in one way of its own."""
    return [varied(picture, np.random.default_rng([seed, number])) for number, picture in enumerate(pictures)]


def with_variations(pictures: Sequence[Grey], seed: int) -> Features:
    """As they are, and each varied twice."""
    rounds = [list(pictures)] + [variations(pictures, seed * _VARIED_EACH + turn) for turn in range(_VARIED_EACH)]
    return np.concatenate([all_features(pictures) for pictures in rounds])


def others(radiographs: Sequence[Grey], seed: int, *, slow: int = 250, fast: int = 600) -> dict[str, Features]:
    """By kind. A third of them are varied as the radiographs are, so that a border or a mark makes no chest."""
    made = {}
    for kind, draw in kinds(radiographs).items():
        pictures = []
        for number in range(slow if kind in _SLOWLY_DRAWN else fast):
            rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), number])
            picture = draw(rng)
            pictures.append(varied(picture, rng) if number % 3 == 0 else picture)
        made[kind] = all_features(pictures)
    return made
