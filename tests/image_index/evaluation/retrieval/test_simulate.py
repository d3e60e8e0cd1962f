import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from services.image_index.evaluation.retrieval.simulate import CALIBRATIONS, simulate
from services.image_index.ranking.prior import shipped_prior
from shared.labels import LABELS

PRIOR = shipped_prior()


@pytest.mark.parametrize("auroc", [0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_a_simulated_classifier_has_the_auroc_that_it_is_asked_for(auroc, calibration):
    made = simulate(PRIOR, 4000, auroc, calibration=calibration, seed=1)
    found = [roc_auc_score(made.truth[:, label], made.probabilities[:, label]) for label in range(len(LABELS))]
    assert np.mean(found) == pytest.approx(auroc, abs=0.03)


def test_only_a_calibrated_classifier_means_what_it_says():
    def gap(calibration):
        made = simulate(PRIOR, 8000, 0.8, calibration=calibration, seed=2)
        effusion = LABELS.index("Pleural Effusion")
        p, truth = made.probabilities[:, effusion], made.truth[:, effusion]
        return max(abs(p[part].mean() - truth[part].mean()) for part in np.array_split(np.argsort(p), 5))

    assert gap("calibrated") < 0.04
    assert min(gap("overconfident"), gap("underconfident"), gap("balanced")) > 0.06


def test_label_sets_are_as_frequent_as_in_reports_with_some_that_no_list_holds():
    made = simulate(PRIOR, 6000, 0.7, seed=3)
    np.testing.assert_allclose(made.truth.mean(axis=0), PRIOR.base_rates, atol=0.1)
    assert 0.04 < (PRIOR.positions(made.truth.astype(float)) < 0).mean() < 0.09
    with_no_finding = made.truth[made.truth[:, LABELS.index("No Finding")] == 1]
    assert with_no_finding.sum(axis=1).max() <= 2


def test_the_same_seed_gives_the_same_classifier():
    one, other = simulate(PRIOR, 50, 0.7, seed=5), simulate(PRIOR, 50, 0.7, seed=5)
    np.testing.assert_array_equal(one.probabilities, other.probabilities)
    assert one.patients.tolist() == other.patients.tolist()
