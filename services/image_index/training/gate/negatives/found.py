"""Real pictures that installed packages carry with them, for fitting and judging: nothing of them is kept.

Photographs and micrographs of scikit-image, scikit-learn and matplotlib; CT, MR, ultrasound and nuclear medicine of
pydicom's test files. A package that is not installed gives none.
"""

import gzip
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.utils import pixel_array

from services.image_index.pictures.radiograph import Grey

_PHOTOGRAPHS = (
    "skimage/data/astronaut.png",
    "skimage/data/camera.png",
    "skimage/data/chelsea.png",
    "skimage/data/clock_motion.png",
    "skimage/data/coffee.png",
    "skimage/data/horse.png",
    "skimage/data/motorcycle_left.png",
    "skimage/data/rocket.jpg",
    "sklearn/datasets/images/china.jpg",
    "sklearn/datasets/images/flower.jpg",
    "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
)
_TEXTURES = tuple(
    f"skimage/data/{name}.png" for name in ("brick", "grass", "gravel", "coins", "moon", "page", "text", "color")
)
_MICROSCOPE = (
    "skimage/data/cell.png",
    "skimage/data/ihc.png",
    "skimage/data/microaneurysms.png",
    "skimage/data/retina.jpg",
    "skimage/data/hubble_deep_field.jpg",
)
_SLICES = (
    "CT_small.dcm",
    "693_J2KI.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "MR_small.dcm",
    "examples_overlay.dcm",
    "JPEG2000.dcm",
    "examples_jpeg2k.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "examples_ybr_color.dcm",
)
_MPL_MR = "matplotlib/mpl-data/sample_data/s1045.ima.gz"  # 256 x 256, 16 bit


def photographs() -> list[Grey]:
    return _pictures(_PHOTOGRAPHS)


def textures() -> list[Grey]:
    return _pictures(_TEXTURES)


def microscope() -> list[Grey]:
    """Cells, stained tissue, the back of an eye, a sky: round things on a dark or a light ground."""
    return _pictures(_MICROSCOPE)


def slices() -> list[Grey]:
    found = [_dicom(name) for name in _SLICES]
    for file in _files((_MPL_MR,)):
        with gzip.open(file) as stream:
            values = np.frombuffer(stream.read(), np.uint16).reshape(256, 256)
        found.append(_stretched(values.astype(np.float64)))
    return found


def _files(names: Sequence[str]) -> list[Path]:
    """Of `package/path`, those that are there."""
    found = []
    for name in names:
        package, _slash, path = name.partition("/")
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            found.append(Path(spec.origin).parent / path)
    return [file for file in found if file.exists()]


def _pictures(wanted: Sequence[str]) -> list[Grey]:
    pictures = []
    for file in _files(wanted):
        with Image.open(file) as picture:
            pictures.append(np.asarray(picture.convert("L")))
    return pictures


def _dicom(name: str) -> Grey:
    dataset = dcmread(str(get_testdata_file(name, download=False)))
    values = np.asarray(pixel_array(dataset, index=0), dtype=np.float64)
    return _stretched(values if values.ndim == 2 else values[..., :3].mean(axis=-1))


def _stretched(values: NDArray[np.float64]) -> Grey:
    low, high = np.percentile(values, [1, 99])
    grey: Grey = (np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)
    return grey
