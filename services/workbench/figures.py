"""Pictures of how well probabilities tell, find and promise: ROC, precision-recall and reliability of every label."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from services.workbench.calibration_error import reliability_bins
from shared.labels import LABELS

_COLUMNS = 4

Probabilities = NDArray[np.floating]
Truth = NDArray[np.bool_]
Draw = Callable[[Axes, Probabilities, Truth], None]


def draw_label_figures(
    probabilities: Probabilities, truth: Truth, known: Truth, folder: Path, *, min_positives: int = 1
) -> list[Path]:
    """All (N, 14). One file a kind of curve, one panel a label that can be judged; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    judged: dict[str, tuple[Probabilities, Truth]] = {}
    for column, label in enumerate(LABELS):
        rows = known[:, column]
        true = truth[rows, column]
        if max(1, min_positives) <= true.sum() < len(true):
            judged[f"{label} ({true.sum()} of {len(true)})"] = probabilities[rows, column], true
    kinds: dict[str, Draw] = {"roc": _roc, "precision_recall": _precision_recall, "reliability": _reliability}
    return [_grid(draw, judged, folder / f"{kind}.png") for kind, draw in kinds.items()]


def _grid(draw: Draw, judged: dict[str, tuple[Probabilities, Truth]], out: Path) -> Path:
    rows = max(1, -(-len(judged) // _COLUMNS))
    figure = Figure(figsize=(3.0 * _COLUMNS, 3.0 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, (title, (probability, true)) in zip(panels, judged.items(), strict=False):
        draw(axes, probability, true)
        axes.set_title(title, fontsize=9)
        axes.set(xlim=(0, 1), ylim=(0, 1.01))
        axes.grid(alpha=0.3)
    for axes in panels[len(judged) :]:
        axes.axis("off")
    figure.savefig(out, dpi=110)
    return out


def _roc(axes: Axes, probability: Probabilities, true: Truth) -> None:
    false_rate, true_rate, _ = roc_curve(true, probability)
    axes.plot(false_rate, true_rate)
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")


def _precision_recall(axes: Axes, probability: Probabilities, true: Truth) -> None:
    precision, recall, _ = precision_recall_curve(true, probability)
    axes.plot(recall, precision)
    axes.axhline(float(true.mean()), color="grey", linestyle=":")
    axes.set(xlabel="recall", ylabel="precision")


def _reliability(axes: Axes, probability: Probabilities, true: Truth) -> None:
    """On the dotted line, what is promised is found."""
    bins = reliability_bins(probability, true)
    axes.plot([one.promised for one in bins], [one.found for one in bins], marker="o")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.set(xlabel="mean probability", ylabel="share found present")
