import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from services.workbench.auroc import auroc_by_weights

SCORE, TRUE = np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, True, False, True])


def test_ties_count_half_and_weights_as_copies():
    weights = np.array([[1.0, 1, 1, 1], [2, 0, 1, 3]])
    copies = np.repeat(np.arange(4), weights[1].astype(int))
    expected = [roc_auc_score(TRUE, SCORE), roc_auc_score(TRUE[copies], SCORE[copies])]
    assert auroc_by_weights(SCORE, TRUE)(weights) == pytest.approx(expected)


def test_it_is_that_of_scikit_learn_for_weighted_examples():
    rng = np.random.default_rng(6)
    score, true = np.round(rng.random(200), 2).astype(np.float32), rng.random(200) < 0.3
    weights = rng.random((5, 200))
    expected = [roc_auc_score(true, score, sample_weight=row) for row in weights]
    assert auroc_by_weights(score, true)(weights) == pytest.approx(expected)


def test_without_both_classes_it_is_not_defined():
    assert np.isnan(auroc_by_weights(SCORE, TRUE)(np.array([[1.0, 0, 1, 0], [0, 1, 0, 1]]))).all()
    assert np.isnan(auroc_by_weights(np.array([]), np.zeros(0, bool))(np.ones((2, 0)))).all()
