"""Other parts of the body, drawn as a radiograph shows them: bone light, air dark. Crude, but of many shapes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.image_index.examples.phantoms.canvas import Canvas, Mask, Pose, smooth_curve
from services.image_index.pictures.radiograph import Grey

_SIDE = 96


def _canvas(rng: np.random.Generator) -> Canvas:
    shift = (float(rng.normal(0, 0.08)), float(rng.normal(0, 0.08)))
    return Canvas(_SIDE, Pose(float(rng.uniform(0.75, 1.25)), float(rng.normal(0, 0.2)), shift))


def _exposed(opacity: Mask, rng: np.random.Generator) -> Grey:
    tone = np.clip(opacity * rng.uniform(0.7, 1.1) + rng.uniform(-0.05, 0.1), 0, None) ** rng.uniform(0.7, 1.5)
    noise = rng.standard_normal(opacity.shape, dtype=np.float32) * rng.uniform(0.005, 0.03)
    grey: Grey = np.clip((np.tanh(1.15 * tone) + noise) * 255, 0, 255).astype(np.uint8)
    return grey


def _bone(canvas: Canvas, ends: list[tuple[float, float]], width: float, rng: np.random.Generator) -> Mask:
    """A shaft with its dense cortex and wider ends."""
    path = np.array(ends, dtype=np.float64)
    shaft = canvas.stroke(path, width, blur=0.006) - 0.5 * canvas.stroke(path, 0.55 * width, blur=0.01)
    heads = np.zeros_like(canvas.x)
    for x, y in (path[0], path[-1]):
        heads = np.maximum(heads, canvas.ellipse((x, y), (width * rng.uniform(0.7, 1.0), width * 0.7), edge=0.1))
    return np.asarray(np.maximum(shaft, 0.8 * heads), dtype=np.float32)


def knee(rng: np.random.Generator) -> Grey:
    canvas = _canvas(rng)
    wide = rng.uniform(0.22, 0.36)
    flesh = canvas.stroke(smooth_curve([(-0.05, -1.4), (0.0, 0.0), (0.05, 1.4)]), 2.4 * wide, blur=0.04)
    gap = rng.uniform(0.02, 0.06)
    opacity = 0.35 * flesh
    opacity += 0.45 * _bone(canvas, [(0, -1.4), (0, -0.5)], wide, rng)
    opacity += 0.45 * canvas.ellipse((-0.5 * wide, -0.22 - gap), (0.62 * wide, 0.22), edge=0.05)
    opacity += 0.45 * canvas.ellipse((0.5 * wide, -0.22 - gap), (0.62 * wide, 0.22), edge=0.05)
    opacity += 0.5 * canvas.ellipse((0, 0.17 + gap), (1.1 * wide, 0.17), edge=0.05)
    opacity += 0.4 * _bone(canvas, [(-0.05, 0.3), (-0.05, 1.4)], 0.9 * wide, rng)
    opacity += 0.3 * _bone(canvas, [(0.9 * wide, 0.35), (0.8 * wide, 1.4)], 0.35 * wide, rng)
    return _exposed(opacity + 0.1 * canvas.ellipse((0, -0.25), (0.4 * wide, 0.2)), rng)


def limb(rng: np.random.Generator) -> Grey:
    """One or two long bones: forearm, lower leg, thigh, upper arm, with or without a joint."""
    canvas = _canvas(rng)
    wide = rng.uniform(0.12, 0.3)
    joint = rng.uniform(-1.2, 1.2)
    bend = rng.normal(0, 0.5)
    opacity = 0.35 * canvas.stroke(smooth_curve([(0, -1.4), (0, joint), (bend, 1.4)]), 3 * wide, blur=0.04)
    bones = [(-0.6 * wide, 0.8), (0.6 * wide, 0.6)] if rng.random() < 0.6 else [(0.0, 1.2)]
    for x, share in bones:
        opacity += 0.45 * _bone(canvas, [(x, -1.4), (x, joint - 0.03)], share * wide, rng)
        opacity += 0.45 * _bone(canvas, [(x, joint + 0.05), (x + bend, 1.4)], share * wide, rng)
    return _exposed(opacity, rng)


def hand(rng: np.random.Generator) -> Grey:
    canvas = _canvas(rng)
    palm = rng.uniform(0.25, 0.4)
    opacity = 0.3 * canvas.ellipse((0, 0.25), (palm, 0.4), edge=0.05)
    opacity = np.maximum(opacity, 0.3 * canvas.stroke(np.array([(0, 0.4), (0, 1.4)]), 1.2 * palm, blur=0.02))
    spread = rng.uniform(0.2, 0.5)
    for finger, length in enumerate((0.62, 0.95, 1.05, 0.98, 0.78)):
        angle = spread * (finger - 2) - (0.35 if finger == 0 else 0)
        start = np.array([(finger - 2) * 0.38 * palm, 0.3 - 0.1 * (finger != 0)])
        way = np.array([np.sin(angle), -np.cos(angle)]) * length * rng.uniform(0.85, 1.0)
        opacity = np.maximum(opacity, 0.28 * canvas.stroke(np.array([start, start + way]), 0.17, blur=0.01))
        for low, high in ((0.0, 0.38), (0.42, 0.66), (0.69, 0.83), (0.86, 0.96)):
            ends = [tuple(start + low * way), tuple(start + high * way)]
            opacity += 0.4 * _bone(canvas, ends, 0.075, rng)
    for _ in range(8):
        place = (float(rng.uniform(-0.8, 0.8) * palm), float(rng.uniform(0.42, 0.62)))
        opacity += 0.2 * canvas.ellipse(place, (0.08, 0.07), edge=0.1)
    return _exposed(opacity + 0.4 * _bone(canvas, [(-0.12, 0.7), (-0.12, 1.5)], 0.14, rng), rng)


def skull(rng: np.random.Generator) -> Grey:
    canvas = _canvas(rng)
    wide, tall = rng.uniform(0.55, 0.8), rng.uniform(0.65, 0.85)
    vault = canvas.ellipse((0, -0.15), (wide, tall), edge=0.03)
    opacity = 0.9 * vault - 0.45 * canvas.ellipse((0, -0.15), (0.9 * wide, 0.92 * tall), edge=0.06)
    sideways = rng.random() < 0.5  # a lateral view shows one orbit
    for x in (0.5 * wide,) if sideways else (-0.36 * wide, 0.36 * wide):
        opacity -= 0.25 * canvas.ellipse((x, 0.12), (0.2 * wide, 0.15), edge=0.1)
    opacity -= 0.25 * canvas.polygon([(0, 0.15), (-0.1, 0.42), (0.1, 0.42)], blur=0.02)
    opacity += 0.35 * canvas.ellipse((0.2 * sideways, 0.62), (0.55 * wide, 0.22), edge=0.1)
    teeth = [np.array([(x, 0.58), (x, 0.72)]) for x in np.linspace(-0.25, 0.25, 9)]
    opacity += 0.3 * canvas.strokes(teeth, [0.035] * 9)
    return _exposed(opacity + 0.35 * canvas.stroke(np.array([(-0.1, 0.7), (-0.1, 1.5)]), 0.4, blur=0.05), rng)


def _spine(canvas: Canvas, rng: np.random.Generator, tops: NDArray[np.float64], width: float) -> Mask:
    column = np.zeros_like(canvas.x)
    for top in tops:
        column += canvas.ellipse((float(rng.normal(0, 0.01)), float(top)), (width, 0.075), edge=0.1)
        column += 0.6 * canvas.stroke(np.array([(-2 * width, top), (2 * width, top)]), 0.04, blur=0.01)
    return column


def abdomen(rng: np.random.Generator) -> Grey:
    """Spine, pelvis, gas in the bowel."""
    canvas = _canvas(rng)
    wide = rng.uniform(0.75, 1.15)
    opacity = 0.55 * canvas.ellipse((0, 0), (wide, 1.6), edge=0.08)
    opacity += 0.2 * _spine(canvas, rng, np.linspace(-1.2, 0.3, 9), 0.12)
    for side in (-1, 1):
        wing = [(0.1, 0.3), (0.5, 0.12), (0.72, 0.35), (0.6, 0.7), (0.3, 0.62)]
        opacity += 0.2 * canvas.polygon(smooth_curve(np.array(wing) * [side * wide, 1], closed=True), blur=0.02)
        opacity += 0.25 * canvas.ellipse((side * 0.62 * wide, 0.9), (0.14, 0.14), edge=0.1)
    for _ in range(int(rng.integers(3, 16))):
        place = (float(rng.uniform(-0.7, 0.7) * wide), float(rng.uniform(-0.9, 0.6)))
        opacity -= 0.2 * canvas.ellipse(place, (float(rng.uniform(0.04, 0.2)), float(rng.uniform(0.04, 0.12))))
    return _exposed(opacity, rng)


def pelvis(rng: np.random.Generator) -> Grey:
    canvas = _canvas(rng)
    opacity = 0.4 * canvas.ellipse((0, 0), (1.2, 1.3), edge=0.1)
    opacity += 0.25 * _spine(canvas, rng, np.linspace(-1.2, -0.3, 5), 0.14)
    ring = canvas.ellipse((0, 0.15), (0.55, 0.45), edge=0.06) - canvas.ellipse((0, 0.15), (0.38, 0.3), edge=0.06)
    opacity += 0.3 * ring
    for side in (-1, 1):
        wing = [(0.15, -0.25), (0.55, -0.7), (0.85, -0.5), (0.7, -0.05), (0.45, 0.1)]
        opacity += 0.3 * canvas.polygon(smooth_curve(np.array(wing) * [side, 1], closed=True), blur=0.02)
        opacity += 0.4 * canvas.ellipse((side * 0.68, 0.22), (0.15, 0.15), edge=0.06)
        opacity += 0.4 * _bone(canvas, [(side * 0.85, 0.3), (side * 0.8, 1.5)], 0.2, rng)
        hole = canvas.ellipse((side * 0.2, 0.55), (0.13, 0.1), edge=0.1)
        opacity += 0.25 * (canvas.ellipse((side * 0.22, 0.55), (0.22, 0.18), edge=0.08) - hole)
    return _exposed(opacity, rng)


def spine(rng: np.random.Generator) -> Grey:
    """Neck or loins, from the front or the side."""
    canvas = _canvas(rng)
    width = rng.uniform(0.12, 0.3)
    opacity = 0.4 * canvas.ellipse((float(rng.normal(0, 0.2)), 0), (float(rng.uniform(0.4, 1.1)), 1.8), edge=0.15)
    opacity += 0.4 * _spine(canvas, rng, np.arange(-1.3, 1.3, rng.uniform(0.17, 0.3)), width)
    return _exposed(opacity + 0.2 * canvas.y * rng.choice([-1, 1]), rng)


def foot(rng: np.random.Generator) -> Grey:
    canvas = _canvas(rng)
    outline = [(-0.9, 0.35), (-0.85, 0.1), (-0.5, -0.2), (-0.35, -1.4), (-0.05, -1.4), (0.0, -0.25), (0.85, 0.2)]
    turn = rng.choice([-1, 1])
    outline_points = smooth_curve(np.array([*outline, (0.85, 0.4)]) * [turn, 1], closed=True)
    opacity = 0.35 * canvas.polygon(outline_points, blur=0.02)
    opacity += 0.45 * _bone(canvas, [(-0.2 * turn, -1.4), (-0.2 * turn, -0.25)], 0.2, rng)
    opacity += 0.4 * canvas.ellipse((-0.6 * turn, 0.15), (0.25, 0.16))
    opacity += 0.4 * canvas.ellipse((-0.2 * turn, -0.05), (0.2, 0.13))
    for row in range(5):
        start, end = (0.0, 0.05 + 0.05 * row), (0.75 * turn, 0.22 + 0.03 * row)
        opacity += 0.2 * _bone(canvas, [start, end], 0.07, rng)
    return _exposed(opacity, rng)


def breast(rng: np.random.Generator) -> Grey:
    """A mammogram: a half disc at one border, strands in it, much air."""
    canvas = _canvas(rng)
    side = rng.choice([-1.0, 1.0])
    reach, tall = rng.uniform(0.7, 1.5), rng.uniform(0.6, 1.0)
    mask = canvas.ellipse((float(side), 0.0), (float(reach), float(tall)), edge=0.05)
    opacity = rng.uniform(0.3, 0.6) * mask
    for _ in range(int(rng.integers(5, 40))):
        place = np.array([side * rng.uniform(0.2, 1.0), rng.uniform(-0.6, 0.6) * tall])
        end = place + rng.normal(0, 0.2, 2)
        opacity += rng.uniform(0.05, 0.25) * mask * canvas.stroke(np.array([place, end]), 0.05, blur=0.03)
    if rng.random() < 0.5:  # the pectoral muscle of an oblique view
        opacity += 0.4 * canvas.polygon([(side, -1.2), (side * 0.3, -1.2), (side, 0.3)], blur=0.02)
    return _exposed(opacity, rng)


def jaws(rng: np.random.Generator) -> Grey:
    """A dental panorama: two arches of teeth."""
    canvas = _canvas(rng)
    opacity = 0.3 + 0.2 * canvas.ellipse((0, 0.1), (0.95, 0.6), edge=0.2)
    for row in (-1, 1):
        for x in np.linspace(-0.7, 0.7, 14):
            y = 0.12 * row + 0.25 * x**2 * -1 + rng.normal(0, 0.01)
            opacity += 0.35 * canvas.ellipse((float(x), float(y)), (0.05, 0.14), edge=0.1)
    arch = smooth_curve([(-0.95, -0.6), (-0.85, 0.2), (-0.4, 0.6), (0.4, 0.6), (0.85, 0.2), (0.95, -0.6)])
    return _exposed(opacity + 0.35 * canvas.stroke(arch, 0.2, blur=0.02), rng)


KINDS: dict[str, Callable[[np.random.Generator], Grey]] = {
    "knee": knee,
    "limb": limb,
    "hand": hand,
    "foot": foot,
    "skull": skull,
    "jaws": jaws,
    "abdomen": abdomen,
    "pelvis": pelvis,
    "spine": spine,
    "breast": breast,
}
