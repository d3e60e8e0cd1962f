"""Rows of the tables of this folder's README, and what all of them have in common."""

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[np.float64]  # (galleries, 5)
K = 5
COLUMNS = ("Recall@{k}", "precision@{k}", "mAP", "IoU@{k}", "nDCG@{k}")
IMAGES, QUERIES = 1200, 200  # of each simulated gallery; so many of its images are asked for
FIRST_SEED = 100


def head(first: str, k: int = K) -> list[str]:
    return [
        f"| {' | '.join((first, *(column.format(k=k) for column in COLUMNS)))} |",
        "| --- |" + " ---: |" * len(COLUMNS),
    ]


def row(name: str, means: NDArray[np.float64], errors: NDArray[np.float64]) -> str:
    cells = [f"{mean:.3f} ±{error:.3f}" for mean, error in zip(means.tolist(), errors.tolist(), strict=True)]
    return f"| {' | '.join((name, *cells))} |"


def means_row(name: str, figures: Figures) -> str:
    """With the 95 % interval of the mean over galleries."""
    return row(name, figures.mean(axis=0), 1.96 * standard_errors(figures))


def standard_errors(figures: Figures) -> NDArray[np.float64]:
    return np.asarray(figures.std(axis=0, ddof=1) / np.sqrt(len(figures)))
