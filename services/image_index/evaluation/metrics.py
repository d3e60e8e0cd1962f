"""How well scores tell present from absent, with intervals by patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from services.workbench.auroc import auroc_by_weights
from shared.labels import LABELS, LabelName

Scores = NDArray[np.float32]
PHANTOMS = "phantoms"


@dataclass(frozen=True)
class LabelFigures:
    """`interval`: 95 % bootstrap interval of the AUROC, patients drawn with replacement; None where not asked for."""

    auroc: float
    auprc: float
    positives: int
    images: int
    interval: tuple[float, float] | None = None


def label_figures(
    scores: Scores,
    targets: NDArray[np.float32],
    known: NDArray[np.bool_],
    *,
    patients: NDArray[np.str_] | None = None,
    min_positives: int = 1,
    rounds: int = 200,
    seed: int = 0,
) -> dict[LabelName, LabelFigures]:
    """scores, targets, known (N, 14). Labels with fewer positives (or no negative) among the known are left out."""
    figures: dict[LabelName, LabelFigures] = {}
    for column, label in enumerate(LABELS):
        rows = known[:, column]
        truth, score = targets[rows, column], scores[rows, column]
        positives = int(truth.sum())
        if positives < max(1, min_positives) or positives == len(truth):
            continue
        interval = None
        if patients is not None:
            interval = _interval(score, truth, patients[rows], rounds, np.random.default_rng([seed, column]))
        figures[label] = LabelFigures(
            float(roc_auc_score(truth, score)),
            float(average_precision_score(truth, score)),
            positives,
            len(truth),
            interval,
        )
    return figures


def _interval(
    score: Scores, truth: NDArray[np.float32], patients: NDArray[np.str_], rounds: int, rng: np.random.Generator
) -> tuple[float, float]:
    """A patient counts as often as it was drawn."""
    _, owner = np.unique(patients, return_inverse=True)
    count = int(owner.max()) + 1
    auroc = auroc_by_weights(score, truth > 0)
    drawn = (np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(rounds))
    values = np.array([auroc(times[None, owner].astype(np.float64))[0] for times in drawn])
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def stratified_auroc(
    scores: Scores,
    targets: NDArray[np.float32],
    known: NDArray[np.bool_],
    sources: NDArray[np.str_],
    *,
    min_positives: int = 5,
) -> float:
    """Macro AUROC where each label's is taken within each source of real pictures, and averaged by its positives.

    Pooled figures would reward a network that recognises the source, for findings are more frequent in some.
    Phantoms count only where there is nothing else.
    """
    names = [name for name in np.unique(sources) if name != PHANTOMS] or [PHANTOMS]
    found: dict[LabelName, list[tuple[float, int]]] = {}
    for name in names:
        rows = sources == name
        figures = label_figures(scores[rows], targets[rows], known[rows], min_positives=min_positives)
        for label, figure in figures.items():
            found.setdefault(label, []).append((figure.auroc, figure.positives))
    averages = [np.average([a for a, _ in pairs], weights=[n for _, n in pairs]) for pairs in found.values()]
    return float(np.mean(averages)) if averages else float("nan")
