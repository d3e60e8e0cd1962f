"""Reliability, ROC and precision-recall curves of the probability of present, one file each."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from services.text_classifier.evaluation.metrics import CALIBRATION_BINS
from services.text_classifier.evaluation.predictors import Predictions
from services.text_classifier.examples.labelled import STATES, UNKNOWN
from shared.labels import LABELS, State

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_PRESENT = STATES.index(State.PRESENT)
_Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def draw_plots(predictions: Predictions, truth: NDArray[np.int8], folder: Path) -> list[Path]:
    """Writes `reliability.png`, `roc.png` and `precision_recall.png`; labels that never occur have no curve."""
    folder.mkdir(parents=True, exist_ok=True)
    curves = {"reliability": _reliability, "roc": _roc, "precision_recall": _precision_recall}
    axes_names = {
        "reliability": ("predicted probability", "observed frequency"),
        "roc": ("1 − specificity", "sensitivity"),
        "precision_recall": ("recall", "precision"),
    }
    files = []
    for name, curve in curves.items():
        figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
        for position, label in enumerate(LABELS):
            known = truth[:, position] != UNKNOWN
            true = truth[known, position] == _PRESENT
            if 0 < true.sum() < len(true):
                x, y = curve(predictions.probabilities[known, position, _PRESENT], true)
                axes.plot(x, y, label=f"{label} ({true.sum()})", marker="." if name == "reliability" else "")
        _finish(axes, *axes_names[name])
        files.append(folder / f"{name}.png")
        figure.savefig(files[-1], dpi=120)
        plt.close(figure)
    return files


def _reliability(probability: NDArray[np.float64], true: NDArray[np.bool_]) -> _Curve:
    bins = np.minimum((probability * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    filled = [b for b in range(CALIBRATION_BINS) if (bins == b).any()]
    return (
        np.array([probability[bins == b].mean() for b in filled]),
        np.array([true[bins == b].mean() for b in filled]),
    )


def _roc(probability: NDArray[np.float64], true: NDArray[np.bool_]) -> _Curve:
    false_rate, true_rate, _ = roc_curve(true, probability)
    return false_rate, true_rate


def _precision_recall(probability: NDArray[np.float64], true: NDArray[np.bool_]) -> _Curve:
    precision, recall, _ = precision_recall_curve(true, probability)
    return recall, precision


def _finish(axes: Axes, x: str, y: str) -> None:
    axes.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.01))
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
