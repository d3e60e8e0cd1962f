"""Pictures that are no chest radiograph, by kind: what the gate is fitted on and judged by."""

from collections.abc import Callable, Sequence

import numpy as np

from services.image_index.pictures.radiograph import Grey
from services.image_index.training.gate.negatives import anatomy, found, made, pieces, slices

Draw = Callable[[np.random.Generator], Grey]


# Kinds that are like each other: to be judged as never seen, a kind is left out together with these.
FAMILIES: dict[str, tuple[str, ...]] = {
    "limbs": ("knee", "limb", "hand", "foot"),
    "head": ("skull", "jaws"),
    "trunk": ("abdomen", "pelvis", "spine"),
    "breast": ("breast",),
    "drawn slices": ("CT of the chest", "CT of the abdomen", "slice of a head", "MR of a joint"),
    "real slices, ultrasound": ("real CT, MR, US, NM", "ultrasound"),
    "pages and screens": ("page of text", "screen", "chart"),
    "patterns": ("one grey", "gradient", "noise", "stripes", "shapes"),
    "real pictures": ("photograph", "texture", "microscope"),
    "parts of radiographs": ("part of a radiograph",),
    "shuffled radiographs": ("shuffled radiograph",),
}


def kinds(radiographs: Sequence[Grey]) -> dict[str, Draw]:
    """Every kind with what draws one of it. `radiographs` are those that pieces are cut from."""
    drawn: dict[str, Draw] = {**anatomy.KINDS, **slices.KINDS, **made.KINDS}
    real = {
        "photograph": found.photographs(),
        "texture": found.textures(),
        "microscope": found.microscope(),
        "real CT, MR, US, NM": found.slices(),
    }
    drawn |= {name: _cut_from(pictures) for name, pictures in real.items() if pictures}
    return drawn | {
        "part of a radiograph": lambda rng: pieces.part(_one(radiographs, rng), rng),
        "shuffled radiograph": lambda rng: pieces.shuffled(_one(radiographs, rng), rng),
    }


def _one(pictures: Sequence[Grey], rng: np.random.Generator) -> Grey:
    return pictures[int(rng.integers(len(pictures)))]


def _cut_from(pictures: Sequence[Grey]) -> Draw:
    """A picture whole or in part, at times mirrored or as its negative."""

    def draw(rng: np.random.Generator) -> Grey:
        picture = _one(pictures, rng)
        rows, columns = (int(side * rng.uniform(0.5, 1.0)) for side in picture.shape)
        top, left = (int(rng.integers(0, free + 1)) for free in (picture.shape[0] - rows, picture.shape[1] - columns))
        cut = picture[top : top + rows, left : left + columns]
        cut = cut[:, ::-1] if rng.random() < 0.5 else cut
        return 255 - cut if rng.random() < 0.2 else cut

    return draw
