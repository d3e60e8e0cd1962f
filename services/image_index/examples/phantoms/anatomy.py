"""A normal chest in opacity (0 air, 1 dense soft tissue, metal beyond), shaped by the patient's plan."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.examples.phantoms.canvas import Canvas, Mask, as_mask, sigmoid, smooth_curve
from services.image_index.examples.phantoms.patient import Break, Patient, Side

SIDES: tuple[Side, Side] = (-1, 1)
RIB_COUNT = 9


@dataclass
class Scene:
    """The picture while it is drawn. `opacity` is changed in place; masks stay as they are."""

    canvas: Canvas
    patient: Patient
    opacity: Mask
    lung: dict[Side, Mask]
    heart: Mask
    mediastinum: Mask
    air: Mask  # free pleural air
    wall: dict[Side, NDArray[np.float64]]  # the lateral lung border from apex to costophrenic angle, (N, 2)

    @property
    def lungs(self) -> Mask:
        return np.maximum(self.lung[-1], self.lung[1])


def lung_wall(patient: Patient, side: Side) -> NDArray[np.float64]:
    dome, w = patient.dome[side], side * patient.chest
    return smooth_curve(
        [
            (0.26 * w, -0.80),
            (0.44 * w, -0.71),
            (0.61 * w, -0.44),
            (0.70 * w, -0.06),
            (0.74 * w, 0.28),
            (0.755 * w, dome + 0.21),
        ]
    )


def lung_outline(patient: Patient, side: Side) -> NDArray[np.float64]:
    dome, w = patient.dome[side], side * patient.chest
    base = [(0.64 * w, dome + 0.065), (0.42 * w, dome), (0.24 * w, dome + 0.04), (0.12 * w, dome + 0.09)]
    medial = [(0.10 * w, 0.10), (0.11 * w, -0.30), (0.14 * w, -0.62), (0.19 * w, -0.76)]
    return np.vstack([lung_wall(patient, side), smooth_curve(base + medial), [(0.26 * w, -0.80)]])


def heart_outline(patient: Patient) -> NDArray[np.float64]:
    width = patient.heart_ratio * 1.5 * patient.chest
    bottom = patient.dome[1] + 0.06
    tall = 1.0 + 0.5 * (patient.heart_ratio - 0.44)
    points = [
        (-0.10, -0.20 * tall), (-0.26 * width, -0.02), (-0.30 * width, 0.16), (-0.26 * width, 0.34), (0.0, bottom),
        (0.45 * width, bottom + 0.01), (0.64 * width, bottom - 0.06), (0.70 * width, bottom - 0.18),
        (0.60 * width, 0.08), (0.36 * width, -0.10 * tall), (0.13, -0.24 * tall),
    ]  # fmt: skip
    return smooth_curve(points, closed=True)


def rib_path(patient: Patient, side: Side, rib: int) -> NDArray[np.float64]:
    """A posterior rib from the spine out and down to the chest wall."""
    top = -0.76 + rib * 0.135
    wall = lung_wall(patient, side)
    reach = abs(float(np.interp(top + 0.14, wall[:, 1], wall[:, 0] * side))) * 1.015
    points = [
        (0.09, top),
        (0.35 * reach + 0.06, top - 0.035),
        (0.72 * reach, top + 0.015),
        (0.92 * reach, top + 0.10),
        (reach, top + 0.20),
    ]
    return smooth_curve(np.array(points) * [side, 1.0])


def _front_rib(patient: Patient, side: Side, rib: int) -> NDArray[np.float64]:
    top = -0.52 + rib * 0.17
    wall = lung_wall(patient, side)
    reach = abs(float(np.interp(top, wall[:, 1], wall[:, 0] * side)))
    points = [(reach, top), (0.82 * reach, top + 0.12), (0.55 * reach, top + 0.19), (0.30 * reach + 0.05, top + 0.21)]
    return smooth_curve(np.array(points) * [side, 1.0])


def _broken(path: NDArray[np.float64], fracture: Break) -> list[NDArray[np.float64]]:
    """The rib in two pieces, the outer one displaced across its course."""
    cut = max(2, round(fracture.along * len(path)))
    inner, outer = path[: cut - 1], path[cut + 1 :] + np.array([0.0, fracture.step])
    return [inner, outer]


def _rib_pieces(patient: Patient) -> list[NDArray[np.float64]]:
    broken = {(b.side, b.rib): b for b in patient.breaks}
    pieces: list[NDArray[np.float64]] = []
    for side in SIDES:
        for rib in range(RIB_COUNT):
            path = rib_path(patient, side, rib)
            fracture = broken.get((side, rib))
            pieces += [path] if fracture is None else _broken(path, fracture)
    return pieces


def _vessels(patient: Patient, rng: np.random.Generator) -> tuple[list[NDArray[np.float64]], list[float]]:
    """Branches that leave each hilum and taper towards the chest wall."""
    paths: list[NDArray[np.float64]] = []
    widths: list[float] = []
    for side in SIDES:
        hilum = np.array([side * 0.18, -0.06])
        for direction in np.linspace(-1.25, 1.3, 8) + rng.normal(0.0, 0.08, 8):
            length = rng.uniform(0.32, 0.5)
            knots = np.linspace(0.0, 1.0, 4)[:, None]
            way = np.array([side * np.cos(direction), np.sin(direction) * 1.1]) * length
            bend = np.array([0.0, 1.0]) * rng.normal(0.0, 0.06) * knots**2
            trunk = smooth_curve(hilum + knots * way + bend, steps=4)
            third = len(trunk) // 3
            paths += [trunk[: third + 1], trunk[third : 2 * third + 1], trunk[2 * third :]]
            widths += [0.028, 0.018, 0.010]
            for start in (third, 2 * third):
                turn = direction + rng.choice([-1, 1]) * rng.uniform(0.4, 0.8)
                twig = np.array([side * np.cos(turn), np.sin(turn)]) * length * rng.uniform(0.3, 0.5)
                paths.append(trunk[start] + np.linspace(0.0, 1.0, 3)[:, None] * twig)
                widths.append(0.009)
    return paths, [w * patient.vessel_width for w in widths]


def _body(canvas: Canvas, patient: Patient) -> Mask:
    half = [
        (0.22, -1.3),
        (0.24, -0.96),
        (0.60, -0.90),
        (1.0, -0.76),
        (1.08, -0.3),
        (0.93, -0.05),
        (0.90, 0.4),
        (0.94, 1.4),
    ]
    right = np.array(half) * [patient.chest, 1.0]
    return canvas.polygon(np.vstack([right, right[::-1] * [-1.0, 1.0]]), blur=0.05)


def _free_air(canvas: Canvas, patient: Patient, lung: dict[Side, Mask]) -> Mask:
    """Pleural air: between the chest wall and the retracted lung's edge, widest at the apex and the side."""
    if patient.air_side is None:
        return np.zeros_like(canvas.x)
    side, depth = patient.air_side, patient.air_depth
    outline = lung_outline(patient, side)
    center = np.array([side * 0.11, 0.12])  # retracts towards the hilum
    shrunk = center + (outline - center) * (1.0 - depth)
    collapsed = canvas.polygon(shrunk, blur=0.004)
    return as_mask(np.clip(lung[side] - collapsed, 0.0, 1.0) * sigmoid((0.5 - canvas.y) / 0.08))


def draw_chest(canvas: Canvas, patient: Patient, rng: np.random.Generator) -> Scene:
    x, y = canvas.x, canvas.y
    lung = {side: canvas.polygon(lung_outline(patient, side), blur=0.006) for side in SIDES}
    heart = canvas.polygon(heart_outline(patient), blur=0.012)
    m = patient.mediastinum
    outline = [(-m * 0.9, -0.85), (-m, -0.5), (-m, 0.1), (-0.1, 0.45), (0.1, 0.45), (m, 0.1), (m * 1.05, -0.22),
               (m + 0.045, -0.40), (m * 0.95, -0.55), (m * 0.75, -0.85)]  # fmt: skip
    mediastinum = canvas.polygon(smooth_curve(outline, closed=True), blur=0.012)
    air = _free_air(canvas, patient, lung)
    scene = Scene(
        canvas, patient, np.zeros_like(x), lung, heart, mediastinum, air, {s: lung_wall(patient, s) for s in SIDES}
    )

    body = _body(canvas, patient)
    thickness = 0.62 + 0.10 * np.abs(x) + 0.10 * np.clip(y, -1.0, 1.0) ** 2
    aerated = scene.lungs * (1.0 - 0.9 * np.maximum(heart, mediastinum))
    depth = 0.40 + 0.08 * sigmoid((0.25 - y) / 0.2)
    opacity = body * thickness - aerated * depth
    opacity += 0.10 * body * sigmoid((y - 0.48) / 0.10) + 0.05 * heart + 0.04 * mediastinum
    opacity += _bones(canvas, patient)

    paths, widths = _vessels(patient, rng)
    vessels = canvas.strokes(paths, widths, blur=0.006)
    hila = canvas.ellipse((-0.19, -0.05), (0.07, 0.12), edge=0.35) + canvas.ellipse(
        (0.20, -0.09), (0.07, 0.11), edge=0.35
    )
    opacity += aerated * (0.13 * vessels + 0.12 * hila + 0.012 * canvas.noise(rng, 28)) * (1.0 - air)
    opacity -= 0.10 * air
    trachea = canvas.stroke([(0.0, -1.1), (0.005, -0.7), (0.015, -0.34)], 0.085, blur=0.012)
    bronchi = canvas.strokes(
        [np.array([(0.015, -0.36), (-0.13, -0.16)]), np.array([(0.015, -0.36), (0.17, -0.14)])],
        [0.05, 0.045],
        blur=0.012,
    )
    opacity -= 0.13 * np.maximum(trachea, 0.6 * bronchi)
    if rng.random() < 0.7:  # the stomach's bubble
        opacity -= 0.16 * canvas.ellipse((0.42, patient.dome[1] + 0.16), (rng.uniform(0.10, 0.17), 0.08), edge=0.15)
    if patient.sex == "Female":
        for side in SIDES:
            opacity += 0.07 * canvas.ellipse((side * 0.45, 0.30), (0.33, 0.34), edge=0.06) * body
    scene.opacity = opacity.astype(np.float32)
    return scene


def _bones(canvas: Canvas, patient: Patient) -> Mask:
    x, y = canvas.x, canvas.y
    pieces = _rib_pieces(patient)
    outer = canvas.strokes(pieces, [0.055] * len(pieces), blur=0.006)
    inner = canvas.strokes(pieces, [0.026] * len(pieces), blur=0.008)
    fronts = [_front_rib(patient, side, rib) for side in SIDES for rib in range(5)]
    front = canvas.strokes(fronts, [0.06] * len(fronts), blur=0.010)
    clavicles = [
        smooth_curve(np.array([(0.06, -0.62), (0.28, -0.66), (0.55, -0.76), (0.86, -0.80)]) * [s, 1.0]) for s in SIDES
    ]
    clavicle = canvas.strokes(clavicles, [0.07, 0.07], blur=0.008)
    apart = 0.70 if patient.view_position == "AP" else 0.84  # scapulae lie over the lungs in AP pictures
    blades = [
        np.array([(apart, -0.66), (apart + 0.2, -0.6), (apart + 0.06, -0.02), (apart - 0.06, -0.5)]) * [s, 1.0]
        for s in SIDES
    ]
    scapula = canvas.polygon(blades[0], blur=0.02) + canvas.polygon(blades[1], blur=0.02)
    spine = sigmoid((0.085 - np.abs(x)) / 0.012) * (1.0 - 0.35 * (np.cos(y * np.pi * 2 / 0.135) > 0.8))
    return as_mask(0.125 * outer - 0.045 * inner + 0.035 * front + 0.13 * clavicle + 0.06 * scapula + 0.08 * spine)
