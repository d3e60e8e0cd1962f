"""Slices through a body, as CT, MR and ultrasound show them."""

from collections.abc import Callable

import numpy as np

from services.image_index.examples.phantoms.canvas import Canvas, Mask, Pose
from services.image_index.pictures.radiograph import Grey

_SIDE = 96


def _canvas(rng: np.random.Generator) -> Canvas:
    shift = (float(rng.normal(0, 0.05)), float(rng.normal(0, 0.05)))
    return Canvas(_SIDE, Pose(float(rng.uniform(0.75, 1.15)), float(rng.normal(0, 0.1)), shift))


def _windowed(density: Mask, rng: np.random.Generator) -> Grey:
    noisy = density + rng.standard_normal(density.shape, dtype=np.float32) * rng.uniform(0.005, 0.06)
    low, width = rng.uniform(-0.1, 0.2), rng.uniform(0.5, 1.0)
    grey: Grey = np.clip((noisy - low) / width * 255, 0, 255).astype(np.uint8)
    return grey


def _trunk(canvas: Canvas, rng: np.random.Generator) -> tuple[Mask, float, float]:
    wide, tall = float(rng.uniform(0.75, 0.95)), float(rng.uniform(0.5, 0.7))
    body = canvas.ellipse((0, 0), (wide, tall), edge=0.02)
    fat = rng.uniform(0.8, 0.95)
    density = 0.35 * body + 0.2 * canvas.ellipse((0, 0), (fat * wide, fat * tall), edge=0.03)
    density += 0.4 * canvas.ellipse((0, 0.65 * tall), (0.12, 0.11), edge=0.05)  # a vertebra, behind
    if rng.random() < 0.6:  # the table
        y = tall + 0.08
        density += 0.3 * canvas.stroke(np.array([(-0.8, y), (0.8, y)]), 0.03)
    return density, wide, tall


def ct_chest(rng: np.random.Generator) -> Grey:
    canvas = _canvas(rng)
    density, wide, tall = _trunk(canvas, rng)
    big = rng.uniform(0.5, 1.0)
    for side in (-1, 1):
        lung = canvas.ellipse((side * 0.45 * wide, 0), (0.38 * wide * big, 0.72 * tall * big), edge=0.04)
        density = density * (1 - 0.85 * lung)
        for _ in range(25):
            place = (side * wide * float(rng.uniform(0.15, 0.75)), tall * float(rng.uniform(-0.6, 0.6)))
            density += rng.uniform(0.1, 0.4) * lung * canvas.ellipse(place, (0.02, 0.02))
    for x in np.linspace(-0.85, 0.85, 8):
        y = tall * np.sqrt(1 - (x / 1.02) ** 2) * rng.choice([-1, 1]) * 0.9
        density += 0.35 * canvas.ellipse((float(x * wide), float(y)), (0.07, 0.03), edge=0.1)
    return _windowed(density + 0.15 * canvas.ellipse((0.08, -0.1), (0.25, 0.25)), rng)


def ct_abdomen(rng: np.random.Generator) -> Grey:
    canvas = _canvas(rng)
    density, wide, tall = _trunk(canvas, rng)
    density += 0.12 * canvas.ellipse((-0.4 * wide, -0.1), (0.42 * wide, 0.6 * tall))
    for side in (-1, 1):
        density += 0.12 * canvas.ellipse((side * 0.4 * wide, 0.4 * tall), (0.12, 0.13))
    for _ in range(int(rng.integers(2, 12))):
        place = (float(rng.uniform(-0.6, 0.7) * wide), float(rng.uniform(-0.6, 0.2) * tall))
        density += rng.choice([-0.4, -0.1, 0.1]) * canvas.ellipse(place, (float(rng.uniform(0.04, 0.14)), 0.07))
    return _windowed(density, rng)


def head_slice(rng: np.random.Generator) -> Grey:
    """CT (light skull) or MR (dark skull, light fat and matter)."""
    canvas = _canvas(rng)
    wide, tall = float(rng.uniform(0.55, 0.75)), float(rng.uniform(0.7, 0.9))
    inner = canvas.ellipse((0, 0), (0.88 * wide, 0.9 * tall), edge=0.03)
    ring = canvas.ellipse((0, 0), (wide, tall), edge=0.03) - inner
    folds = np.sin(canvas.x * rng.uniform(15, 40) + 3 * np.sin(canvas.y * rng.uniform(6, 20)))
    density = rng.choice([0.3, 0.9]) * ring + inner * (rng.uniform(0.3, 0.6) + 0.1 * folds)
    for side in (-1, 1):
        density -= 0.25 * canvas.ellipse((side * 0.13, -0.05), (0.07, 0.25))
    return _windowed(density, rng)


def joint_slice(rng: np.random.Generator) -> Grey:
    """An MR of a joint: light marrow in dark cortex, on grey muscle."""
    canvas = _canvas(rng)
    density = 0.3 * canvas.ellipse((0, 0), (0.7, 1.4), edge=0.05)
    for y in (-0.7, 0.7):
        size = (float(rng.uniform(0.3, 0.5)), float(rng.uniform(0.5, 0.65)))
        density -= 0.2 * canvas.ellipse((0, y), (size[0] + 0.05, size[1] + 0.05), edge=0.04)
        density += 0.7 * canvas.ellipse((0, y), size, edge=0.04)
    return _windowed(density, rng)


def ultrasound(rng: np.random.Generator) -> Grey:
    canvas = _canvas(rng)
    top = -rng.uniform(0.9, 1.4)
    distance = np.hypot(canvas.x, canvas.y - top)
    angle = np.arctan2(canvas.x, canvas.y - top)
    fan = (np.abs(angle) < rng.uniform(0.4, 0.9)) & (distance < rng.uniform(1.5, 2.2))
    fan &= distance > rng.uniform(0.1, 0.5)
    tissue = np.full_like(canvas.x, rng.uniform(0.3, 0.6))
    for _ in range(int(rng.integers(2, 10))):
        place = (float(rng.uniform(-0.6, 0.6)), float(rng.uniform(-0.6, 0.7)))
        size = (float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.05, 0.25)))
        tissue += rng.choice([-0.35, 0.3]) * canvas.ellipse(place, size)
    speckle = rng.rayleigh(0.8, canvas.x.shape)
    return _windowed((np.clip(tissue, 0.02, None) * speckle * fan).astype(np.float32), rng)


KINDS: dict[str, Callable[[np.random.Generator], Grey]] = {
    "CT of the chest": ct_chest,
    "CT of the abdomen": ct_abdomen,
    "slice of a head": head_slice,
    "MR of a joint": joint_slice,
    "ultrasound": ultrasound,
}
