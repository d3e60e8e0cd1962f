"""What else is sent by mistake: pages, screens, charts; and pictures of nothing."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from services.image_index.pictures.radiograph import Grey

_SIDE = 192
_LETTERS = list("abcdefghijklmnopqrstuvwxyz    ,.ABCDEF0123456789")


def _words(rng: np.random.Generator, length: int) -> str:
    return "".join(rng.choice(_LETTERS, length))


def _sheet(rng: np.random.Generator) -> tuple[Image.Image, ImageDraw.ImageDraw, int, int]:
    """Paper or screen, and a colour to write with."""
    paper, ink = int(rng.integers(200, 256)), int(rng.integers(0, 90))
    if rng.random() < 0.3:
        paper, ink = ink, paper
    height = int(_SIDE * rng.choice([0.6, 1.0, 1.4]))
    picture = Image.new("L", (_SIDE, height), paper)
    return picture, ImageDraw.Draw(picture), ink, paper


def page(rng: np.random.Generator) -> Grey:
    picture, pen, ink, _paper = _sheet(rng)
    size = int(rng.integers(6, 20))
    font = ImageFont.load_default(size)
    margin = int(rng.integers(2, 30))
    y = margin
    while y < picture.height - margin:
        if rng.random() < 0.9:
            pen.text((margin, y), _words(rng, int(rng.integers(5, 2 * (_SIDE - 2 * margin) // size + 6))), ink, font)
        y += int(size * rng.uniform(1.1, 1.6))
    return np.asarray(picture)


def screen(rng: np.random.Generator) -> Grey:
    """Panels, buttons, lines of text, perhaps a picture area."""
    picture, pen, ink, _paper = _sheet(rng)
    for _ in range(int(rng.integers(3, 14))):
        x, y = (int(v) for v in rng.integers(0, _SIDE, 2))
        box = (x, y, x + int(rng.integers(8, 120)), y + int(rng.integers(6, 90)))
        pen.rectangle(box, fill=int(rng.integers(0, 256)), outline=ink)
        pen.text((x + 2, y + 1), _words(rng, int(rng.integers(3, 20))), ink, ImageFont.load_default(9))
    return np.asarray(picture)


def chart(rng: np.random.Generator) -> Grey:
    picture, pen, ink, _paper = _sheet(rng)
    height = picture.height
    pen.line((20, 10, 20, height - 20, _SIDE - 8, height - 20), fill=ink, width=1)
    xs = np.linspace(22, _SIDE - 10, int(rng.integers(4, 60)))
    for _ in range(int(rng.integers(1, 4))):
        ys = height - 24 - np.abs(np.cumsum(rng.normal(0, 1, xs.size))) * rng.uniform(3, 15)
        if rng.random() < 0.5:
            for x, y in zip(xs, np.clip(ys, 8, height - 22), strict=True):
                pen.rectangle((x, y, x + 0.6 * (xs[1] - xs[0]), height - 21), fill=int(rng.integers(60, 200)))
        else:
            pen.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=ink, width=int(rng.integers(1, 4)))
    return np.asarray(picture)


def one_grey(rng: np.random.Generator) -> Grey:
    """Blank; or nearly, with a frame or a mark in it."""
    picture = np.full((64, 64), rng.integers(256), dtype=np.uint8)
    for _ in range(int(rng.integers(0, 3))):
        y, x = rng.integers(0, 60, 2)
        picture[y : y + rng.integers(1, 20), x : x + rng.integers(1, 20)] = rng.integers(256)
    return picture


def gradient(rng: np.random.Generator) -> Grey:
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    a, b, c, d = rng.normal(0, 1, 4)
    values = a * x + b * y + rng.choice([0, 1]) * (c * x**2 + d * y**2) + rng.normal(0, 0.02, x.shape)
    low, high = values.min(), values.max()
    return np.asarray((values - low) / (high - low + 1e-9) * 255, dtype=np.uint8)


def noise(rng: np.random.Generator) -> Grey:
    """From white noise to clouds: a spectrum of 1 / f^a."""
    side = 96
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :]) + 1 / side
    spectrum = np.fft.fft2(rng.normal(0, 1, (side, side))) / frequency ** rng.uniform(0, 2.5)
    values = np.real(np.fft.ifft2(spectrum))
    low, high = np.percentile(values, [1, 99])
    return np.asarray(np.clip((values - low) / (high - low + 1e-9), 0, 1) * 255, dtype=np.uint8)


def stripes(rng: np.random.Generator) -> Grey:
    """Waves and checks: test patterns, fabrics, blinds."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    values = np.zeros_like(x)
    for _ in range(int(rng.integers(1, 4))):
        kx, ky = rng.normal(0, rng.uniform(2, 20), 2)
        wave = np.sin(kx * x + ky * y + rng.uniform(0, 6) + rng.uniform(0, 3) * x**2)
        values += np.sign(wave) if rng.random() < 0.4 else wave
    return np.asarray((values - values.min()) / (np.ptp(values) + 1e-9) * 255, dtype=np.uint8)


def shapes(rng: np.random.Generator) -> Grey:
    """Discs, boxes and polygons, at times mirrored: symmetry alone is no chest."""
    picture = Image.new("L", (_SIDE, _SIDE), int(rng.integers(256)))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(1, 12))):
        (x, y), (w, h) = rng.integers(-20, _SIDE, 2), rng.integers(8, 140, 2)
        fill = int(rng.integers(256))
        box = (int(x), int(y), int(x + w), int(y + h))
        if rng.random() < 0.6:
            pen.ellipse(box, fill=fill)
        elif rng.random() < 0.5:
            pen.rectangle(box, fill=fill)
        else:
            pen.polygon([tuple(p) for p in rng.uniform(0, _SIDE, (4, 2)).tolist()], fill=fill)
    grey = np.array(picture)
    if rng.random() < 0.4:
        grey[:, _SIDE // 2 :] = grey[:, : _SIDE // 2][:, ::-1]
    return grey


KINDS: dict[str, Callable[[np.random.Generator], Grey]] = {
    "page of text": page,
    "screen": screen,
    "chart": chart,
    "one grey": one_grey,
    "gradient": gradient,
    "noise": noise,
    "stripes": stripes,
    "shapes": shapes,
}
