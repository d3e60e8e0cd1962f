"""Tubes, lines and hardware: the sharpest things in the picture."""

from collections.abc import Callable

import numpy as np

from services.image_index.examples.phantoms.canvas import Canvas, Mask, smooth_curve

Placement = Callable[[Canvas, np.random.Generator], Mask]


def _pacemaker(canvas: Canvas, rng: np.random.Generator) -> Mask:
    x0, y0 = 0.50 + rng.uniform(-0.05, 0.05), -0.52 + rng.uniform(-0.05, 0.05)
    box = np.array(
        [(-0.11, -0.06), (-0.06, -0.10), (0.07, -0.09), (0.11, -0.03), (0.09, 0.08), (-0.05, 0.09), (-0.11, 0.04)]
    )
    case = canvas.polygon(smooth_curve(box + np.array([x0, y0]), closed=True), blur=0.003)
    leads = [
        smooth_curve([(x0 - 0.08, y0 - 0.05), (0.22, -0.62), (-0.06, -0.52), (-0.10, -0.15), (-0.06, 0.14), end])
        for end in ((0.22, 0.36), (-0.15, 0.10))
    ]
    return 0.55 * case + 0.32 * canvas.strokes(leads, [0.012, 0.012], blur=0.001)


def _central_line(canvas: Canvas, rng: np.random.Generator) -> Mask:
    side = rng.choice([-1, 1])
    tip = (-0.10, rng.uniform(-0.22, 0.02))
    if rng.random() < 0.5:
        path = [(side * 1.0, -0.45), (side * 0.75, -0.62), (side * 0.35, -0.66), (-0.07, -0.50), tip]  # from the arm
    else:
        path = [
            (side * 0.24, -1.1),
            (side * 0.18, -0.82),
            (side * 0.09 - 0.02, -0.62),
            (-0.09, -0.45),
            tip,
        ]  # from the neck
    return 0.26 * canvas.stroke(smooth_curve(path), 0.014, blur=0.001)


def _endotracheal_tube(canvas: Canvas, rng: np.random.Generator) -> Mask:
    tip = -0.42 - rng.uniform(0.0, 0.15)
    tube = canvas.stroke([(0.0, -1.2), (0.005, tip)], 0.050, blur=0.002)
    bore = canvas.stroke([(0.0, -1.2), (0.005, tip + 0.02)], 0.028, blur=0.002)
    return 0.30 * tube - 0.18 * bore


def _gastric_tube(canvas: Canvas, rng: np.random.Generator) -> Mask:
    path = smooth_curve(
        [(0.02, -1.2), (0.03, -0.5), (0.0, 0.1), (0.08, 0.5), (0.32, 0.66), (0.48 + rng.uniform(0, 0.1), 0.62)]
    )
    return 0.24 * canvas.stroke(path, 0.018, blur=0.001)


def _chest_drain(canvas: Canvas, rng: np.random.Generator) -> Mask:
    side = rng.choice([-1, 1])
    path = smooth_curve(np.array([(1.02, 0.30), (0.70, 0.12), (0.50, -0.20), (0.38, -0.55)]) * [side, 1.0])
    return 0.30 * canvas.stroke(path, 0.040, blur=0.002) - 0.16 * canvas.stroke(path, 0.022, blur=0.002)


def _sternal_wires(canvas: Canvas, rng: np.random.Generator) -> Mask:
    turn = np.linspace(0.0, 2 * np.pi, 14)
    loops = [
        np.stack([0.045 * np.cos(turn), 0.022 * np.sin(turn) + y0 + rng.normal(0, 0.01)], axis=1)
        for y0 in np.linspace(-0.5, 0.3, 6)
    ]
    return 0.40 * canvas.strokes(loops, [0.010] * 6, blur=0.001)


def _monitor_leads(canvas: Canvas, rng: np.random.Generator) -> Mask:
    mask = np.zeros_like(canvas.x)
    for x0, y0 in ((-0.55, -0.60), (0.58, -0.62), (0.55, 0.45)):
        at = (x0 + rng.normal(0, 0.04), y0 + rng.normal(0, 0.04))
        wire = smooth_curve([at, (at[0] * 1.3, at[1] + 0.25), (np.sign(x0) * 1.1, at[1] + 0.6)])
        mask = (
            mask + 0.30 * canvas.ellipse(at, (0.035, 0.035), edge=0.1) + 0.20 * canvas.stroke(wire, 0.012, blur=0.001)
        )
    return mask


DEVICES: dict[str, Placement] = {
    "pacemaker": _pacemaker,
    "central venous catheter": _central_line,
    "endotracheal tube": _endotracheal_tube,
    "nasogastric tube": _gastric_tube,
    "chest tube": _chest_drain,
    "median sternotomy hardware": _sternal_wires,
    "monitoring leads": _monitor_leads,
}
_WEIGHTS = (0.22, 0.26, 0.14, 0.12, 0.08, 0.12, 0.06)


def place_devices(canvas: Canvas, rng: np.random.Generator) -> tuple[Mask, list[str]]:
    """One to three devices: their opacity, and their names for the impression."""
    names = [str(n) for n in rng.choice(list(DEVICES), size=int(rng.integers(1, 4)), replace=False, p=_WEIGHTS)]
    total = np.zeros_like(canvas.x)
    for name in names:
        total = total + DEVICES[name](canvas, rng)
    return total.astype(np.float32), names
