"""Who lies on the table, and the shape of the chest: everything that is decided before the first pixel."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.image_index.examples.phantoms.canvas import Pose
from shared.labels import LABELS, LabelName

Side = Literal[-1, 1]  # -1: the patient's right, image left
SIDE_NAMES: dict[Side, str] = {-1: "right", 1: "left"}


@dataclass(frozen=True)
class Break:
    """Where a posterior rib is broken: the rib's number from the top, and how far along it (0 spine, 1 lateral)."""

    side: Side
    rib: int
    along: float
    step: float


@dataclass(frozen=True)
class Patient:
    """Lengths in body units (the picture is 2 wide); the thorax is about 1.5 wide inside."""

    sex: Literal["Male", "Female"]
    age_years: int
    view_position: Literal["AP", "PA"]
    pose: Pose
    heart_ratio: float
    mediastinum: float
    dome: dict[Side, float]
    chest: float
    breaks: tuple[Break, ...]
    vessel_width: float
    air_side: Side | None
    air_depth: float


def finding_generator(seed: int, label: LabelName) -> np.random.Generator:
    """Each finding draws from its own stream, so adding one leaves the rest of the picture as it was."""
    return np.random.default_rng([seed, 1 + LABELS.index(label)])


def draw_side(rng: np.random.Generator) -> Side:
    return -1 if rng.random() < 0.5 else 1


def draw_patient(seed: int, labels: Collection[LabelName]) -> Patient:
    rng = np.random.default_rng([seed, 0])
    ap = rng.random() < 0.45
    pose = Pose(
        scale=float(rng.uniform(0.9, 1.08)),
        angle=float(np.radians(rng.normal(0.0, 2.0))),
        shift=(float(rng.normal(0.0, 0.03)), float(rng.normal(0.02, 0.04))),
    )
    depth = float(rng.normal(-0.05 if ap else 0.0, 0.04))
    dome: dict[Side, float] = {-1: 0.36 + depth, 1: 0.42 + depth}
    heart_ratio = float(rng.uniform(0.40, 0.48) + (0.03 if ap else 0.0))
    mediastinum = float(rng.uniform(0.125, 0.155) + (0.015 if ap else 0.0))
    sex: Literal["Male", "Female"] = "Female" if rng.random() < 0.45 else "Male"
    age_years = int(np.clip(rng.normal(58.0, 17.0), 18, 90))
    chest = float(rng.uniform(0.94, 1.05))

    if "Cardiomegaly" in labels:
        heart_ratio = float(finding_generator(seed, "Cardiomegaly").uniform(0.58, 0.70))
    if "Enlarged Cardiomediastinum" in labels:
        mediastinum = float(finding_generator(seed, "Enlarged Cardiomediastinum").uniform(0.26, 0.36))
    if "Atelectasis" in labels:
        collapse = finding_generator(seed, "Atelectasis")
        dome[draw_side(collapse)] -= float(collapse.uniform(0.08, 0.17))
    breaks: tuple[Break, ...] = ()
    if "Fracture" in labels:
        breaks = _draw_breaks(finding_generator(seed, "Fracture"))
    vessel_width = float(finding_generator(seed, "Edema").uniform(1.5, 1.9)) if "Edema" in labels else 1.0
    air_side: Side | None = None
    air_depth = 0.0
    if "Pneumothorax" in labels:
        air = finding_generator(seed, "Pneumothorax")
        air_side, air_depth = draw_side(air), float(air.uniform(0.12, 0.30))
    return Patient(
        sex=sex,
        age_years=age_years,
        view_position="AP" if ap else "PA",
        pose=pose,
        heart_ratio=heart_ratio,
        mediastinum=mediastinum,
        dome=dome,
        chest=chest,
        breaks=breaks,
        vessel_width=vessel_width,
        air_side=air_side,
        air_depth=air_depth,
    )


def _draw_breaks(rng: np.random.Generator) -> tuple[Break, ...]:
    """One to three neighbouring ribs on one side."""
    side = draw_side(rng)
    first, count = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    along = rng.uniform(0.45, 0.8)
    return tuple(
        Break(
            side,
            first + n,
            float(along + rng.uniform(-0.06, 0.06)),
            float(rng.choice([-1, 1]) * rng.uniform(0.045, 0.07)),
        )
        for n in range(count)
    )
