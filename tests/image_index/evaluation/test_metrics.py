"""Figures by hand-made scores."""

import numpy as np
import pytest

from services.image_index.evaluation.metrics import label_figures, stratified_auroc
from shared.labels import LABELS

EDEMA = LABELS.index("Edema")


def _one_label(score: list[float], truth: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """scores, targets, known (N, 14) where only Edema is known."""
    scores, targets = np.zeros((2, len(score), 14), dtype=np.float32)
    known = np.zeros((len(score), 14), dtype=bool)
    scores[:, EDEMA], targets[:, EDEMA], known[:, EDEMA] = score, truth, True
    return scores, targets, known


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    figures = label_figures(*_one_label([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]))
    assert list(figures) == ["Edema"]
    assert figures["Edema"].auroc == pytest.approx(0.75)
    assert (figures["Edema"].positives, figures["Edema"].images) == (2, 4)
    assert np.mean([figure.auroc for figure in figures.values()]) == pytest.approx(0.75)


def test_labels_with_too_few_positives_are_left_out() -> None:
    assert label_figures(*_one_label([0.1, 0.2], [0, 1]), min_positives=2) == {}
    assert label_figures(*_one_label([0.1, 0.2], [1, 1])) == {}


def test_the_interval_holds_the_figure_and_repeats() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(300) < 0.3).astype(int)
    data = _one_label(list(truth + rng.normal(0, 1, 300)), list(truth))
    patients = np.array([f"p{n // 3}" for n in range(300)])
    first, second = (label_figures(*data, patients=patients)["Edema"] for _ in range(2))
    assert first == second
    assert first.interval is not None
    assert first.interval[0] < first.auroc < first.interval[1]


def test_telling_sources_apart_earns_nothing() -> None:
    """All positives in one source: pooled the score looks good, within the sources it is chance."""
    sources = np.array(["ill"] * 20 + ["well"] * 20)
    truth = [1, 0] * 10 + [0] * 20
    scores, targets, known = _one_label([1.0] * 20 + [0.0] * 20, truth)
    assert label_figures(scores, targets, known)["Edema"].auroc > 0.8
    assert stratified_auroc(scores, targets, known, sources) == pytest.approx(0.5)


def test_phantoms_count_only_where_there_is_nothing_else() -> None:
    truth = [1, 0] * 10
    scores, targets, known = _one_label([float(t) for t in truth], truth)
    assert stratified_auroc(scores, targets, known, np.array(["phantoms"] * 20)) == 1.0
    mixed = np.array(["phantoms"] * 10 + ["hospital"] * 10)
    scores[10:] *= -1.0
    assert stratified_auroc(scores, targets, known, mixed) == 0.0
