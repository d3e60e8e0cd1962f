"""Makes a batch look as if other hospitals had taken, cut and stored it, so that processing cannot be learned."""

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

MEAN, STD = 0.498, 0.502  # (grey - 127) / 128, as the EfficientNet-Lite weights were trained
_JPEG_SHARE = 0.3


def normalise(pixels: NDArray[np.uint8] | torch.Tensor) -> torch.Tensor:
    """(B, S, S) uint8 -> (B, 1, S, S) float32 as the network takes it."""
    grey = torch.as_tensor(pixels).unsqueeze(1).float() / 255.0
    return (grey - MEAN) / STD


def augment(pixels: NDArray[np.uint8], rng: np.random.Generator) -> torch.Tensor:
    """(B, S, S) uint8 -> (B, 1, S, S) normalised, every picture changed in its own way."""
    stored = np.stack([_recompress(p, rng) if rng.random() < _JPEG_SHARE else p for p in pixels])
    grey = torch.as_tensor(stored).unsqueeze(1).float() / 255.0
    grey = _move(grey, rng)
    if rng.random() < 0.3:
        grey = _lose_resolution(grey, rng)
    return (_expose(grey, rng) - MEAN) / STD


def _recompress(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=int(rng.integers(35, 96)))
    return np.asarray(Image.open(buffer))


def _uniform(rng: np.random.Generator, low: float, high: float, count: int) -> torch.Tensor:
    return torch.as_tensor(rng.uniform(low, high, (count, 1, 1, 1)), dtype=torch.float32)


def _move(grey: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Turn, scale, shift and mirror: a mirrored chest is rare, but its findings are findings."""
    count = len(grey)
    angle = np.radians(rng.normal(0.0, 5.0, count))
    scale_x, scale_y = rng.uniform(0.86, 1.08, (2, count))
    mirror = rng.choice([-1.0, 1.0], count)
    theta = np.zeros((count, 2, 3), dtype=np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = np.cos(angle) * scale_x * mirror, -np.sin(angle) * scale_y
    theta[:, 1, 0], theta[:, 1, 1] = np.sin(angle) * scale_x * mirror, np.cos(angle) * scale_y
    theta[:, :, 2] = rng.uniform(-0.08, 0.08, (count, 2))
    grid = functional.affine_grid(torch.as_tensor(theta), list(grey.shape), align_corners=False)
    return functional.grid_sample(grey, grid, padding_mode="zeros", align_corners=False)


def _lose_resolution(grey: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    side = grey.shape[-1]
    small = functional.interpolate(grey, size=int(side * rng.uniform(0.5, 0.95)), mode="area")
    return functional.interpolate(small, size=side, mode="bilinear", align_corners=False)


def _expose(grey: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Gamma, contrast, brightness, noise, and an eraser that hides a corner mark or a part of the lung."""
    count, side = len(grey), grey.shape[-1]
    bright = grey.clamp_min(1e-4) ** torch.exp(_uniform(rng, -0.35, 0.35, count))
    centre = bright.mean(dim=(2, 3), keepdim=True)
    bright = (bright - centre) * _uniform(rng, 0.75, 1.25, count) + centre + _uniform(rng, -0.1, 0.1, count)
    noise = torch.as_tensor(rng.standard_normal(bright.shape, dtype=np.float32))
    bright = bright + noise * _uniform(rng, 0.0, 0.03, count)
    for picture in bright[::4]:
        top, left = rng.integers(0, side, 2)
        height, width = rng.integers(side // 16, side // 4, 2)
        picture[:, top : top + height, left : left + width] = float(rng.uniform(0.0, 1.0))
    return bright.clamp(0.0, 1.0)
