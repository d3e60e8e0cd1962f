"""What the gate sees of a picture: where its edges run and how its brightness lies, whatever its exposure."""

import numpy as np
from numpy.typing import NDArray

from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.square import to_square

Features = NDArray[np.float32]
SIDE = 64  # of the thumbnail that everything is taken from, in pixels
_CELL = 8  # of the grid of edge directions
_BLOCK = 4  # of the grid of brightness
_DIRECTIONS = 8
FEATURES = (SIDE // _BLOCK) ** 2 + (SIDE // _CELL) ** 2 * _DIRECTIONS

_CELL_OF = (np.arange(SIDE)[:, None] // _CELL) * (SIDE // _CELL) + np.arange(SIDE)[None, :] // _CELL


def features_of(grey: Grey) -> Features:
    """(rows, columns) -> (FEATURES,). A change of all greys that keeps their order changes nothing but their ties."""
    ranks = _equalised(to_square(grey, SIDE))
    blocks = ranks.reshape(SIDE // _BLOCK, _BLOCK, SIDE // _BLOCK, _BLOCK).mean(axis=(1, 3))
    return np.concatenate([blocks.ravel() - 0.5, _edges(ranks)]).astype(np.float32)


def _equalised(thumbnail: Grey) -> NDArray[np.float64]:
    """Every grey as the share of the picture that is darker, ties halved: 0.5 everywhere if there is one grey only."""
    counts = np.bincount(thumbnail.ravel(), minlength=256)
    share = (np.cumsum(counts) - 0.5 * counts) / thumbnail.size
    return np.asarray(share[thumbnail])


def _edges(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root of the share that each direction in each cell has of all edges: the idea of HOG (Dalal and Triggs 2005)."""
    down, right = np.gradient(ranks)
    strength = np.hypot(down, right)
    direction = ((np.arctan2(down, right) / np.pi % 1.0) * _DIRECTIONS).astype(np.int64) % _DIRECTIONS
    places = (_CELL_OF * _DIRECTIONS + direction).ravel()
    sums = np.bincount(places, strength.ravel(), minlength=(SIDE // _CELL) ** 2 * _DIRECTIONS)
    return np.asarray(np.sqrt(sums / (strength.sum() + 1e-9)))
