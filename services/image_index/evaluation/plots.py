"""Pictures of how well a model tells, finds and promises: ROC, precision-recall and reliability of every label."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

from services.image_index.evaluation.metrics import Scores
from services.image_index.examples.datasets import LabelledImages
from shared.labels import LABELS

mpl.use("Agg")

_COLUMNS = 4
_BINS = 8

Draw = Callable[[Axes, Scores, NDArray[np.float32]], None]


def draw_evaluation(
    probabilities: Scores, images: LabelledImages, folder: Path, *, min_positives: int = 1
) -> list[Path]:
    """Probabilities (N, 14). One file a kind of curve, one panel a label that can be judged; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    judged: list[int] = []
    for column in range(len(LABELS)):
        truth = images.targets[images.known[:, column], column]
        if max(1, min_positives) <= truth.sum() < len(truth):
            judged.append(column)
    kinds: dict[str, Draw] = {"roc": _roc, "precision_recall": _precision_recall, "reliability": _reliability}
    return [_grid(draw, probabilities, images, judged, folder / f"{kind}.png") for kind, draw in kinds.items()]


def _grid(draw: Draw, probabilities: Scores, images: LabelledImages, judged: list[int], out: Path) -> Path:
    rows = max(1, -(-len(judged) // _COLUMNS))
    figure = Figure(figsize=(3.0 * _COLUMNS, 3.0 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for column, axes in zip(judged, panels, strict=False):
        known = images.known[:, column]
        truth = images.targets[known, column]
        draw(axes, probabilities[known, column], truth)
        axes.set_title(f"{LABELS[column]} ({int(truth.sum())} of {len(truth)})", fontsize=9)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        axes.grid(alpha=0.3)
    for axes in panels[len(judged) :]:
        axes.axis("off")
    figure.savefig(out, dpi=110)
    return out


def _roc(axes: Axes, probability: Scores, truth: NDArray[np.float32]) -> None:
    false, true, _ = roc_curve(truth, probability)
    axes.plot(false, true)
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")


def _precision_recall(axes: Axes, probability: Scores, truth: NDArray[np.float32]) -> None:
    precision, recall, _ = precision_recall_curve(truth, probability)
    axes.plot(recall, precision)
    axes.axhline(float(truth.mean()), color="grey", linestyle=":")
    axes.set(xlabel="recall", ylabel="precision")


def _reliability(axes: Axes, probability: Scores, truth: NDArray[np.float32]) -> None:
    """Bins of equally many pictures; on the dotted line, what is promised is found."""
    found, promised = calibration_curve(truth, probability, n_bins=_BINS, strategy="quantile")
    axes.plot(promised, found, marker="o")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.set(xlabel="mean probability", ylabel="share that shows it")
