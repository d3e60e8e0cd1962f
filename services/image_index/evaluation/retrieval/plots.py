"""Figures: recall against K, precision against recall, promises against what was found, and one answer's images."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from services.image_index.evaluation.retrieval import ties
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.evaluation.retrieval.scorers import Scorer, scorers
from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.prior import LabelSetPrior
from shared.schemas.search import RankingName

mpl.use("Agg")

_DEPTHS = np.unique(np.geomspace(1, 100, 25).astype(int))
_RECALLS = np.linspace(0, 1, 51)


def draw_curves(predictions: Predictions, prior: LabelSetPrior, names: list[RankingName], folder: Path) -> list[Path]:
    """Exact matches of label sets, the query's own image left out, ties averaged over their orders."""
    folder.mkdir(parents=True, exist_ok=True)
    hits, precision_recall = Figure(figsize=(7, 5)), Figure(figsize=(7, 5))
    left, right = hits.subplots(), precision_recall.subplots()
    for name, scorer in scorers(predictions, prior, names).items():
        depths, precisions = _curves(predictions, scorer)
        left.plot(_DEPTHS, depths, label=name)
        right.plot(_RECALLS, precisions, label=name)
    left.set(xscale="log", xlabel="K", ylabel="queries with an exact match among the first K", ylim=(0, 1))
    right.set(xlabel="share of the exact matches found", ylabel="precision", ylim=(0, 1), xlim=(0, 1))
    paths = [folder / "recall_at_k.png", folder / "precision_recall.png"]
    for figure, axes, path in zip((hits, precision_recall), (left, right), paths, strict=True):
        axes.legend(fontsize="small")
        axes.grid(alpha=0.3)
        figure.savefig(path, dpi=120, bbox_inches="tight")
    return paths


def _curves(predictions: Predictions, scorer: Scorer) -> tuple[Vector, Vector]:
    """Means over all queries: (len(_DEPTHS),) Recall@K, (len(_RECALLS),) interpolated precision."""
    recalls, precisions, counted = np.zeros(len(_DEPTHS)), np.zeros(len(_RECALLS)), 0
    for number, query in enumerate(predictions.queries.astype(np.float64)):
        same = np.flatnonzero(predictions.query_of == number)
        if len(same) < 2:  # its own image is the only match
            continue
        scores = scorer(query)
        others = np.delete(np.arange(len(predictions)), same[0])
        order = others[np.argsort(-scores[others], kind="stable")]
        relevant = (predictions.query_of[order] == number).astype(np.float64)
        tied = ties.groups(scores[order])
        recalls += len(same) * np.array([ties.hit_at_k(tied, relevant, int(k)) for k in _DEPTHS])
        precisions += len(same) * _interpolated_precision(tied, relevant)
        counted += len(same)
    return recalls / max(len(predictions), 1), precisions / max(counted, 1)


def _interpolated_precision(tied: ties.Groups, relevant: Vector) -> Vector:
    found = np.cumsum(tied.sums(relevant))
    precision = found / (tied.start + tied.size)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return np.asarray(best_from_here[np.searchsorted(found / found[-1], _RECALLS - 1e-12)])


def draw_reliability(promises: Mapping[str, Mapping[str, Any]], path: Path) -> Path:
    """Of `calibration.promises`: a promise that is kept lies on the diagonal."""
    names = {"exact": "exact_probability", "overlap": "expected_overlap"}
    figure = Figure(figsize=(9, 4.5))
    for axes, (promise, title) in zip(figure.subplots(1, 2), names.items(), strict=True):
        kept = promises[promise]
        axes.plot([0, 1], [0, 1], color="gray", linewidth=0.8)
        axes.plot(*([one[side] for one in kept["bins"]] for side in ("promised", "found")), marker="o")
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="promised", ylabel="found")
        axes.set_title(f"{title}: expected calibration error {kept['ece']:.3f}", fontsize=9)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    return path


def draw_hits(
    title: str, captions: Sequence[str], scores: Sequence[float], pictures: Sequence[bytes], out: Path
) -> None:
    """The images of one answer, best first, and their scores as bars below."""
    figure = Figure(figsize=(max(3.2 * len(scores), 6), 6.5))
    figure.suptitle(title, wrap=True)
    grid = figure.add_gridspec(2, len(scores), height_ratios=(3, 1.6))
    for place, (caption, picture) in enumerate(zip(captions, pictures, strict=True)):
        axes = figure.add_subplot(grid[0, place])
        with Image.open(BytesIO(picture)) as image:
            axes.imshow(np.asarray(image.convert("L")), cmap="gray")
        axes.set_title(caption, fontsize=8)
        axes.axis("off")
    bars = figure.add_subplot(grid[1, :])
    ranks = np.arange(1, len(scores) + 1)
    bars.bar(ranks, scores, width=0.5)
    bars.set(xticks=ranks, xlabel="rank", ylabel="score")
    figure.savefig(out, dpi=110, bbox_inches="tight")
