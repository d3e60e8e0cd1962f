"""Drawing in body coordinates, so that anatomy is written once and every patient lies a little differently.

x runs from -1 (image left, the patient's right) to 1, y from -1 (top) to 1 (bottom).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFilter

Mask = NDArray[np.float32]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Pose:
    """How the body lies on the detector; angle in radians, shift in body units."""

    scale: float
    angle: float
    shift: tuple[float, float]


def smooth_curve(points: ArrayLike, *, closed: bool = False, steps: int = 8) -> NDArray[np.float64]:
    """Catmull-Rom curve through the points, `steps` samples a segment."""
    p = np.asarray(points, dtype=np.float64)
    padded = np.vstack([p[-1], p, p[0], p[1]]) if closed else np.vstack([p[0], p, p[-1]])
    a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    flat = curve.transpose(1, 0, 2).reshape(-1, 2)
    return cast("NDArray[np.float64]", flat if closed else np.vstack([flat, p[-1]]))


def as_mask(values: NDArray[Any]) -> Mask:
    return values.astype(np.float32, copy=False)


def sigmoid(value: NDArray[Any]) -> Mask:
    return as_mask(1.0 / (1.0 + np.exp(-np.clip(value, -30.0, 30.0))))


class Canvas:
    """A square of `size` pixels; masks are float32 (size, size) in [0, 1]."""

    _oversampling = 2

    def __init__(self, size: int, pose: Pose) -> None:
        self.size = size
        self._pose = pose
        cos, sin = np.cos(pose.angle), np.sin(pose.angle)
        self._turn = np.array([[cos, -sin], [sin, cos]])
        axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2.0 - 1.0
        dx, dy = axis[None, :] - pose.shift[0], axis[:, None] - pose.shift[1]
        self.x: Mask = ((cos * dx + sin * dy) / pose.scale).astype(np.float32)
        self.y: Mask = ((-sin * dx + cos * dy) / pose.scale).astype(np.float32)

    def polygon(self, points: ArrayLike, *, blur: float = 0.004) -> Mask:
        def draw(pen: ImageDraw.ImageDraw) -> None:
            pen.polygon(self._pixels(points), fill=255)

        return self._render(draw, blur)

    def strokes(self, paths: list[NDArray[np.float64]], widths: list[float], *, blur: float = 0.002) -> Mask:
        """All paths in one mask; widths in body units."""
        pixel = self.size * self._oversampling / 2.0 * self._pose.scale

        def draw(pen: ImageDraw.ImageDraw) -> None:
            for path, width in zip(paths, widths, strict=True):
                pen.line(self._pixels(path), fill=255, width=max(1, round(width * pixel)))

        return self._render(draw, blur)

    def stroke(self, path: ArrayLike, width: float, *, blur: float = 0.002) -> Mask:
        return self.strokes([np.asarray(path, dtype=np.float64)], [width], blur=blur)

    def ellipse(self, center: tuple[float, float], radii: tuple[float, float], *, edge: float = 0.08) -> Mask:
        """`edge` is the width of the soft border relative to the radius."""
        dx, dy = (self.x - center[0]) / radii[0], (self.y - center[1]) / radii[1]
        return sigmoid((1.0 - np.sqrt(dx * dx + dy * dy)) / edge)

    def noise(self, rng: np.random.Generator, cells: int) -> Mask:
        """Smooth noise, about unit variance, with `cells` independent values along each side."""
        coarse = Image.fromarray(rng.standard_normal((cells, cells)).astype(np.float32))
        return np.asarray(coarse.resize((self.size, self.size), Image.Resampling.BICUBIC), dtype=np.float32)

    def _pixels(self, points: ArrayLike) -> list[tuple[float, float]]:
        placed = np.asarray(points, dtype=np.float64) @ self._turn.T * self._pose.scale + np.array(self._pose.shift)
        return [(float(px), float(py)) for px, py in (placed + 1.0) / 2.0 * self.size * self._oversampling]

    def _render(self, draw: Callable[[ImageDraw.ImageDraw], None], blur: float) -> Mask:
        side = self.size * self._oversampling
        image = Image.new("L", (side, side))
        draw(ImageDraw.Draw(image))
        radius = blur * self.size / 2.0
        # One box pass is enough where the border is about a pixel wide, and three times as fast.
        soften = ImageFilter.BoxBlur(radius) if radius < 1.0 else ImageFilter.GaussianBlur(radius)
        small = image.reduce(self._oversampling).filter(soften)
        return np.asarray(small, dtype=np.float32) / np.float32(255.0)


def mask_box(mask: Mask, level: float = 0.3) -> Box:
    """(x0, y0, x1, y1) in pixels, half open, of what exceeds `level` of the mask's maximum."""
    hot = mask > level * float(mask.max())
    rows, columns = np.flatnonzero(hot.any(axis=1)), np.flatnonzero(hot.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
