"""Pictures with text drawn into them, and lines as a reader gives them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from services.image_index.examples.phantoms.phantom import make_phantom
from services.image_index.pictures.burned_in.reader import Line, Region, is_installed
from services.image_index.pictures.radiograph import Grey

NAME = "ROSENBAUM^TILDA"  # of nobody
UPPER_LEFT = Region(0.1, 0.0, 0.4, 0.05)
MARKERS = ("R", "AP PORTABLE", "14:35")

needs_reader = pytest.mark.skipif(
    not is_installed(), reason="the extra that reads text in pictures is not installed (pip install '.[ocr]')"
)


def line(text: str, confidence: float = 0.95, region: Region = UPPER_LEFT) -> Line:
    return Line(region, text, confidence)


def phantom(size: int = 512) -> Grey:
    return make_phantom(7, labels=["No Finding"], size=size).pixels


def written(grey: Grey, *texts: str, height: float = 0.04, paper: int = 0, ink: int = 255, top: float = 0.01) -> Grey:
    """A copy with each text on a line of its own, from `top` down. `height`: of capitals, a part of the picture's."""
    picture = Image.fromarray(grey)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=height * grey.shape[0] / 0.7)
    x, y = 0.02 * grey.shape[1], top * grey.shape[0]
    for text in texts:
        draw.rectangle(draw.textbbox((x, y), text, font=font), fill=paper)
        draw.text((x, y), text, fill=ink, font=font)
        y += 2 * height * grey.shape[0]
    return np.asarray(picture)
