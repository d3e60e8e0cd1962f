"""A radiograph as another hospital might have taken, cut, marked and stored it: still a chest radiograph."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.square import to_square

_SIDE = 128


def varied(radiograph: Grey, rng: np.random.Generator) -> Grey:
    """(rows, columns) -> (128, 128)."""
    picture = as_picture(radiograph)
    for change, share in _CHANGES:
        if rng.random() < share:
            picture = change(picture, rng)
    return np.asarray(picture)


def as_picture(radiograph: Grey) -> Image.Image:
    return Image.fromarray(to_square(radiograph, _SIDE))


def mirrored(picture: Image.Image, _rng: np.random.Generator) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def turned(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    around = int(rng.choice([0, 0, 255]))
    return picture.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BILINEAR, fillcolor=around)


def cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Up to 14 % off each side."""
    left, top, right, bottom = (float(v) for v in rng.uniform(0, 0.14, 4) * _SIDE)
    return picture.resize(picture.size, Image.Resampling.BILINEAR, box=(left, top, _SIDE - right, _SIDE - bottom))


def bordered(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Collimated, or put on a black or white sheet: up to 30 % on each side."""
    left, top, right, bottom = (int(v) for v in rng.uniform(0, 0.3, 4) * rng.random() * _SIDE)
    sheet = Image.new("L", picture.size, int(rng.choice([0, 0, 0, 255])))
    sheet.paste(picture.resize((_SIDE - left - right, _SIDE - top - bottom), Image.Resampling.BILINEAR), (left, top))
    return sheet


def exposed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Gamma, and a window that clips up to 12 % at each end."""
    values = np.asarray(picture) / 255
    low, high = np.quantile(values, rng.uniform(0, 0.12)), np.quantile(values, 1 - rng.uniform(0, 0.12))
    clipped = np.clip((values - low) / max(high - low, 0.05), 0, 1)
    return _picture(clipped ** np.exp(rng.uniform(-0.6, 0.6)))


def grainy(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return _picture(np.asarray(picture) / 255 + rng.normal(0, rng.uniform(0, 0.06), (_SIDE, _SIDE)))


def coarse(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    side = int(_SIDE * rng.uniform(0.3, 0.9))
    return picture.resize((side, side), Image.Resampling.BILINEAR).resize(picture.size, Image.Resampling.BILINEAR)


def recompressed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=int(rng.integers(15, 90)))
    return Image.open(stream).convert("L")


def marked(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Letters burned in, white on the picture or in a black box."""
    picture = picture.copy()
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(1, 4))):
        text = "".join(rng.choice(list("LRAPSUPINE 0123456789"), int(rng.integers(1, 9))))
        font = ImageFont.load_default(int(rng.integers(7, 16)))
        place = (float(rng.integers(0, _SIDE - 20)), float(rng.integers(0, _SIDE - 10)))
        if rng.random() < 0.3:
            pen.rectangle(pen.textbbox(place, text, font), fill=0)
        pen.text(place, text, 255, font)
    return picture


def _picture(values: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))


_CHANGES = (
    (mirrored, 0.2),
    (turned, 0.4),
    (cropped, 0.4),
    (bordered, 0.3),
    (exposed, 0.4),
    (grainy, 0.3),
    (coarse, 0.3),
    (recompressed, 0.3),
    (marked, 0.2),
)
