"""Real X-ray texture without a chest's layout: a small part of a radiograph, enlarged; or its tiles out of order."""

import numpy as np

from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.square import to_square

_SIDE = 128


def part(radiograph: Grey, rng: np.random.Generator) -> Grey:
    """At most 45 % of either side: a shoulder, a rib, a piece of lung or belly."""
    height, width = radiograph.shape
    rows, columns = (int(side * rng.uniform(0.15, 0.45)) for side in (height, width))
    top, left = int(rng.integers(0, height - rows)), int(rng.integers(0, width - columns))
    return to_square(radiograph[top : top + rows, left : left + columns], _SIDE)


def shuffled(radiograph: Grey, rng: np.random.Generator) -> Grey:
    tiles = int(rng.integers(2, 5))
    size = _SIDE // tiles
    square = to_square(radiograph, size * tiles)
    order = rng.permutation(tiles * tiles)
    while (order == np.arange(tiles * tiles)).mean() > 0.3:
        order = rng.permutation(tiles * tiles)
    grid = square.reshape(tiles, size, tiles, size).swapaxes(1, 2).reshape(-1, size, size)
    return grid[order].reshape(tiles, tiles, size, size).swapaxes(1, 2).reshape(size * tiles, size * tiles)
