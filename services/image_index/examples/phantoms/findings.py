"""What each finding of lung, pleura, heart and bone does to the picture, and where."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from services.image_index.examples.phantoms.anatomy import SIDES, Scene, rib_path
from services.image_index.examples.phantoms.canvas import Box, Mask, mask_box, sigmoid, smooth_curve
from services.image_index.examples.phantoms.devices import place_devices
from services.image_index.examples.phantoms.patient import SIDE_NAMES, Side, draw_side
from shared.labels import LabelName


@dataclass(frozen=True)
class Mark:
    """Where a finding lies: its box in pixels, and a place in words for the impression ("left lower lobe")."""

    box: Box
    place: str


def _shade(scene: Scene, mask: Mask, level: float) -> None:
    """Air gives way: opacity rises towards `level`, never falls, so dense regions stay what they are."""
    scene.opacity += mask * np.clip(level - scene.opacity, 0.0, None)


def _visible(scene: Scene, mask: Mask, side: Side) -> Mask:
    covered = np.maximum(scene.heart, scene.mediastinum)
    return (mask * scene.lung[side] * (1.0 - 0.6 * covered)).astype(np.float32)


def _zone(scene: Scene, rng: np.random.Generator, side: Side) -> tuple[tuple[float, float], str]:
    zone = str(rng.choice(["upper", "mid", "lower"]))
    dome = scene.patient.dome[side]
    height = {"upper": -0.48, "mid": -0.08, "lower": dome - 0.16}[zone]
    reach = {"upper": 0.38, "mid": 0.45, "lower": 0.57 if side == 1 else 0.48}[zone] * scene.patient.chest
    center = (side * (reach + rng.uniform(-0.05, 0.05)), height + rng.uniform(-0.06, 0.06))
    return center, f"{SIDE_NAMES[side]} {zone} lung"


def _cloud(
    scene: Scene,
    rng: np.random.Generator,
    center: tuple[float, float],
    radii: tuple[float, float],
    *,
    edge: float,
    rough: float,
) -> Mask:
    """An ellipse with an uneven border: `rough` is how far noise pushes the border about."""
    canvas = scene.canvas
    dx, dy = (canvas.x - center[0]) / radii[0], (canvas.y - center[1]) / radii[1]
    return sigmoid((1.0 - np.sqrt(dx * dx + dy * dy) + rough * canvas.noise(rng, 14)) / edge)


def _atelectasis(scene: Scene, rng: np.random.Generator) -> Mark:
    side = draw_side(rng)  # the first draw, as in the patient's plan: the raised dome is on this side
    patient = scene.patient
    base = patient.dome[side]
    bands = []
    for n in range(int(rng.integers(2, 4))):
        y0 = base - 0.07 - 0.10 * n + rng.uniform(-0.02, 0.02)
        start, end = 0.20 + rng.uniform(0.0, 0.08), 0.56 + rng.uniform(0.0, 0.10)
        bands.append(
            smooth_curve(
                np.array([(start, y0), ((start + end) / 2, y0 + 0.03), (end, y0 - rng.uniform(0.0, 0.05))])
                * [side, 1.0]
            )
        )
    band = scene.canvas.strokes(bands, list(rng.uniform(0.022, 0.05, len(bands))), blur=0.008) * scene.lung[side]
    crowding = scene.lung[side] * sigmoid((scene.canvas.y - (base - 0.10)) / 0.06)
    _shade(scene, band, 0.62)
    _shade(scene, crowding * 0.45, 0.55)
    return Mark(mask_box(np.maximum(band, 0.6 * crowding)), f"{SIDE_NAMES[side]} base")


def _cardiomegaly(scene: Scene, rng: np.random.Generator) -> Mark:
    del rng  # the heart's width was drawn with the patient
    return Mark(mask_box(scene.heart), "heart")


def _consolidation(scene: Scene, rng: np.random.Generator) -> Mark:
    side = draw_side(rng)
    center, place = _zone(scene, rng, side)
    mask = _visible(
        scene,
        _cloud(scene, rng, center, (rng.uniform(0.22, 0.30), rng.uniform(0.18, 0.26)), edge=0.10, rough=0.10),
        side,
    )
    _shade(scene, 0.92 * mask, 0.64)
    hilum = np.array([side * 0.2, -0.05])
    bronchi = []
    for _ in range(3):
        target = np.array(center) + rng.normal(0.0, 0.10, 2)
        bronchi.append(smooth_curve([hilum, (hilum + target) / 2 + rng.normal(0, 0.02, 2), target]))
    scene.opacity -= 0.12 * scene.canvas.strokes(bronchi, [0.018] * 3, blur=0.005) * mask
    return Mark(mask_box(mask), place)


def _edema(scene: Scene, rng: np.random.Generator) -> Mark:
    canvas = scene.canvas
    haze = np.zeros_like(canvas.x)
    for side in SIDES:
        wing = canvas.ellipse((side * 0.27, 0.02), (rng.uniform(0.30, 0.38), rng.uniform(0.36, 0.46)), edge=0.35)
        haze = np.maximum(haze, wing * scene.lung[side])
    mottle = np.clip(1.0 + 0.22 * canvas.noise(rng, 26) + 0.12 * canvas.noise(rng, 60), 0.2, 1.8)
    _shade(scene, np.clip(haze * mottle * rng.uniform(0.55, 0.75), 0.0, 1.0), 0.60)
    lines = []
    for side in SIDES:
        base = scene.patient.dome[side]
        for n in range(7):
            height, edge = base - 0.24 + 0.045 * n, 0.70 * scene.patient.chest
            lines.append(np.array([(side * (edge - 0.10), height + 0.004), (side * (edge + 0.03), height)]))
    scene.opacity += 0.12 * canvas.strokes(lines, [0.007] * len(lines), blur=0.002) * scene.lungs
    return Mark(mask_box(haze), "perihilar")


def _enlarged_cardiomediastinum(scene: Scene, rng: np.random.Generator) -> Mark:
    del rng  # the width was drawn with the patient
    return Mark(mask_box(scene.mediastinum), "mediastinum")


def _fracture(scene: Scene, rng: np.random.Generator) -> Mark:
    """The ribs were drawn broken; here come the sharp ends and a little blood or callus around them."""
    canvas = scene.canvas
    ends = np.zeros_like(canvas.x)
    for fracture in scene.patient.breaks:
        path = rib_path(scene.patient, fracture.side, fracture.rib)
        at = path[max(2, round(fracture.along * len(path)))]
        middle = (float(at[0]), float(at[1]) + fracture.step / 2)
        ends = np.maximum(ends, canvas.ellipse(middle, (0.055, 0.05), edge=0.25))
        line = at + np.array([(0.0, -0.05), (0.012 * rng.choice([-1, 1]), 0.06)])
        scene.opacity -= 0.09 * canvas.stroke(line, 0.020, blur=0.006)
    scene.opacity += 0.08 * ends
    first = scene.patient.breaks[0]
    return Mark(mask_box(ends), f"{SIDE_NAMES[first.side]} {('lateral' if first.along > 0.6 else 'posterior')} ribs")


def _lung_lesion(scene: Scene, rng: np.random.Generator) -> Mark:
    side = draw_side(rng)
    center, place = _zone(scene, rng, side)
    radius = float(rng.uniform(0.05, 0.13))
    mask = _cloud(scene, rng, center, (radius, radius * rng.uniform(0.85, 1.15)), edge=0.09, rough=0.05)
    if radius < 0.08 and rng.random() < 0.5:  # several small ones
        for _ in range(int(rng.integers(1, 4))):
            spot, _ = _zone(scene, rng, side)
            mask = np.maximum(mask, scene.canvas.ellipse(spot, (radius * 0.8, radius * 0.8), edge=0.10))
    mask = mask * np.maximum(scene.lung[side], 0.2)
    _shade(scene, 0.9 * mask, 0.64)
    return Mark(mask_box(mask), place)


def _lung_opacity(scene: Scene, rng: np.random.Generator) -> Mark:
    side = draw_side(rng)
    center, place = _zone(scene, rng, side)
    mask = _visible(
        scene,
        _cloud(scene, rng, center, (rng.uniform(0.20, 0.30), rng.uniform(0.18, 0.28)), edge=0.30, rough=0.12),
        side,
    )
    _shade(scene, rng.uniform(0.5, 0.7) * mask, 0.58)
    return Mark(mask_box(mask), place)


def _pleural_effusion(scene: Scene, rng: np.random.Generator) -> Mark:
    """Fluid with a meniscus: flat towards the middle, climbing along the chest wall."""
    canvas = scene.canvas
    sides: tuple[Side, ...] = SIDES if rng.random() < 0.3 else (draw_side(rng),)
    mask = np.zeros_like(canvas.x)
    for side in sides:
        level = scene.patient.dome[side] + 0.03 - rng.uniform(0.0, 0.36)
        outward = np.clip(canvas.x * side / (0.74 * scene.patient.chest), 0.0, 1.0)
        surface = level - 0.24 * outward**5 + 0.03 * (1.0 - outward)
        region = np.maximum(
            scene.lung[side], sigmoid((canvas.y - scene.patient.dome[side]) / 0.03) * (outward > 0.1) * (outward < 1.0)
        )
        mask = np.maximum(mask, sigmoid((canvas.y - surface) / 0.012) * region * sigmoid((0.75 - canvas.y) / 0.03))
    _shade(scene, 0.97 * mask, 0.78)
    return Mark(mask_box(mask * scene.lungs), "bilateral" if len(sides) == 2 else SIDE_NAMES[sides[0]])


def _pleural_other(scene: Scene, rng: np.random.Generator) -> Mark:
    """Thickened pleura along the wall, or an apical cap."""
    side = draw_side(rng)
    wall = scene.wall[side]
    apical = rng.random() < 0.4
    part = wall[: len(wall) // 3] if apical else wall[int(rng.uniform(0.3, 0.5) * len(wall)) :]
    inward = np.array([-side * 0.012, 0.010])
    waves = 0.012 * np.sin(np.linspace(0.0, 9.0, len(part)))[:, None] * np.array([side, 0.0])
    band = scene.canvas.stroke(part + inward + waves, float(rng.uniform(0.07, 0.12)), blur=0.006) * scene.lung[side]
    _shade(scene, 0.9 * band, 0.70)
    return Mark(mask_box(band), f"{SIDE_NAMES[side]} {'apical' if apical else 'lateral'}")


def _pneumonia(scene: Scene, rng: np.random.Generator) -> Mark:
    """Patches that run together, with small airspace nodules at their borders."""
    side = draw_side(rng)
    center, place = _zone(scene, rng, side)
    mask = np.zeros_like(scene.canvas.x)
    for _ in range(int(rng.integers(4, 7))):
        spot = (center[0] + rng.normal(0.0, 0.09), center[1] + rng.normal(0.0, 0.10))
        mask = np.maximum(
            mask, _cloud(scene, rng, spot, (rng.uniform(0.07, 0.13), rng.uniform(0.07, 0.12)), edge=0.28, rough=0.22)
        )
    mottle = np.clip(0.75 + 0.28 * scene.canvas.noise(rng, 34), 0.1, 1.0)
    mask = _visible(scene, mask, side)
    _shade(scene, 0.9 * mask * mottle, 0.62)
    return Mark(mask_box(mask), place)


def _pneumothorax(scene: Scene, rng: np.random.Generator) -> Mark:
    """The air was left without vessels; here come the pleural line and the denser, collapsed lung."""
    del rng
    side = scene.patient.air_side
    assert side is not None  # noqa: S101 (drawn with the patient)
    rows, columns = np.gradient(scene.air)
    rim = np.clip(np.hypot(rows, columns) * 4.0, 0.0, 1.0)
    lateral = sigmoid((scene.canvas.x * side - 0.24) / 0.03)
    inner = rim * lateral * sigmoid((0.45 - scene.canvas.y) / 0.06) * (scene.lung[side] > 0.98)
    scene.opacity += 0.14 * inner
    scene.opacity += 0.05 * (scene.lung[side] - scene.air).clip(0.0, 1.0) * (scene.patient.air_depth / 0.3)
    return Mark(mask_box(scene.air), SIDE_NAMES[side])


def _no_finding(scene: Scene, rng: np.random.Generator) -> Mark:
    del rng
    return Mark((0, 0, scene.canvas.size, scene.canvas.size), "")


def _support_devices(scene: Scene, rng: np.random.Generator) -> Mark:
    mask, names = place_devices(scene.canvas, rng)
    scene.opacity += mask
    return Mark(mask_box(mask, 0.2), " and ".join(names))


FINDINGS: Mapping[LabelName, Callable[[Scene, np.random.Generator], Mark]] = {
    "Cardiomegaly": _cardiomegaly,
    "Enlarged Cardiomediastinum": _enlarged_cardiomediastinum,
    "Fracture": _fracture,
    "Lung Opacity": _lung_opacity,
    "Edema": _edema,
    "Atelectasis": _atelectasis,
    "Pneumonia": _pneumonia,
    "Consolidation": _consolidation,
    "Lung Lesion": _lung_lesion,
    "Pneumothorax": _pneumothorax,
    "Pleural Other": _pleural_other,
    "Pleural Effusion": _pleural_effusion,
    "Support Devices": _support_devices,
    "No Finding": _no_finding,
}
"""In drawing order: what lies over lung comes after what lies in it."""
