import numpy as np
import pytest
from PIL import Image

from services.workbench import figures
from shared.labels import LABELS

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(5)


def test_each_kind_of_curve_is_one_picture(tmp_path):
    probabilities = RNG.random((60, 14))
    truth = RNG.random((60, 14)) < probabilities
    files = figures.draw_label_figures(probabilities, truth, np.ones((60, 14), bool), tmp_path / "plots")
    assert [file.name for file in files] == ["roc.png", "precision_recall.png", "reliability.png"]
    for file in files:
        with Image.open(file) as picture:
            picture.verify()


def test_only_labels_that_can_be_judged_have_a_panel(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "_grid", lambda _draw, judged, out: drawn.append(list(judged)) or out)
    truth, known = RNG.random((60, 14)) < 0.5, np.ones((60, 14), bool)
    truth[:, 0], truth[:, 1], truth[:, 2] = False, True, np.arange(60) < 2
    known[30:, 3] = False
    figures.draw_label_figures(RNG.random((60, 14)), truth, known, tmp_path, min_positives=3)
    assert drawn == [drawn[0]] * 3
    assert [title.split(" (")[0] for title in drawn[0]] == list(LABELS[3:])
    assert drawn[0][0] == f"{LABELS[3]} ({truth[:30, 3].sum()} of 30)"


def test_without_a_label_to_judge_the_pictures_are_empty(tmp_path):
    nothing = np.zeros((5, 14), bool)
    assert len(figures.draw_label_figures(np.zeros((5, 14)), nothing, nothing, tmp_path)) == 3
