"""What is fitted is what was true, and no patient's reports are behind what is said of that patient."""

from dataclasses import replace

import numpy as np
import pytest

from services.image_index.evaluation.calibration import cases
from services.image_index.evaluation.calibration.cases import FOLDS, TooFewReports, cases_of
from services.image_index.evaluation.calibration.compare import Comparison
from services.image_index.evaluation.calibration.cross_fit import CrossFit
from services.image_index.ranking.trust import Trust
from shared.labels import LABELS
from tests.image_index.evaluation.calibration.reported_gallery import PRIOR, simulated, simulated_cases

pytestmark = pytest.mark.slow

FRACTURE = LABELS.index("Fracture")


@pytest.mark.parametrize(("calibration", "slope"), [("calibrated", 1.0), ("overconfident", 0.5), ("balanced", 1.0)])
def test_the_slope_that_undoes_a_miscalibration_is_found(calibration, slope):
    fit = CrossFit(simulated_cases(calibration, images=4000)).of_all()
    spoken = np.array(fit.slopes)[np.array(fit.slopes) > 0]
    assert len(spoken) >= 12
    assert np.median(spoken) == pytest.approx(slope, rel=0.1)
    assert np.abs(spoken / slope - 1).max() < 0.35


def test_a_label_that_was_distorted_by_itself_is_mended_by_itself():
    distorted = simulated("distorted", images=4000)[1]
    rng = np.random.default_rng(0)
    # the same draws as in the simulation are not at hand: a further, known distortion is
    steeper = np.exp(rng.normal(0, 0.3, len(LABELS)))
    odds = np.log(distorted.probabilities) - np.log1p(-distorted.probabilities)
    again = replace(distorted, probabilities=(1 / (1 + np.exp(-odds * steeper))).astype(np.float32))
    before, after = (np.array(CrossFit(cases_of(one)).of_all().slopes) for one in (distorted, again))
    assert before / after == pytest.approx(steeper, rel=0.1)


def test_a_rare_label_keeps_near_to_the_slope_of_the_others():
    found = simulated("overconfident", images=2000)[1]
    stated = found.stated.copy()
    seen = np.flatnonzero(stated[:, FRACTURE] == 1)
    stated[seen[4:], FRACTURE] = 0
    fits = CrossFit(cases_of(replace(found, stated=stated)))
    assert fits._of(frozenset(range(FOLDS))).slopes[FRACTURE] == pytest.approx(0.5, abs=0.2)


def test_a_label_at_chance_is_silenced():
    found = simulated("calibrated", images=3000)[1]
    probabilities = found.probabilities.copy()
    probabilities[:, FRACTURE] = np.random.default_rng(1).permutation(probabilities[:, FRACTURE])
    fit = CrossFit(cases_of(replace(found, probabilities=probabilities))).of_all()
    told = fit.pictures.of(found.probabilities.T)
    assert fit.slopes[FRACTURE] == 0
    assert np.abs(told).max(axis=1)[FRACTURE] < 1e-6 < np.abs(told).max(axis=1).max()
    assert (np.array(fit.slopes) > 0).sum() >= 12


def test_uncertain_reports_are_not_learned_from():
    found = simulated(images=1000)[1]
    unsure = np.random.default_rng(2).random(1000) < 0.3
    stated = found.stated.copy()
    stated[unsure, FRACTURE] = np.nan
    fit = CrossFit(cases_of(replace(found, stated=stated))).of_all()
    known = stated[~unsure, FRACTURE]
    assert fit.rates[FRACTURE] == pytest.approx((known.sum() + 0.5) / (len(known) + 1))


def test_all_images_of_a_patient_lie_in_one_fold():
    learned = simulated_cases(images=1000)
    folds_of = {}
    for patient, fold in zip(learned.patients.tolist(), learned.folds.tolist(), strict=True):
        folds_of.setdefault(patient, set()).add(fold)
    assert {len(folds) for folds in folds_of.values()} == {1}
    assert max(map(list(learned.patients).count, folds_of)) > 1
    assert min(np.bincount(learned.folds, minlength=FOLDS)) > 150


def test_no_fit_that_judges_a_patient_has_seen_a_report_of_that_patient():
    found = simulated(images=1000)[1]
    names, count = np.unique(found.patients, return_counts=True)
    patient = names[count.argmax()]
    theirs = found.patients == patient
    other = replace(found, stated=np.where(theirs[:, None], 1 - found.stated, found.stated))
    before, after = cases_of(found), cases_of(other)
    fold = int(before.folds[before.patients == patient][0])
    fits, others = CrossFit(before), CrossFit(after)
    assert fits.without(fold) == others.without(fold)
    assert fits.of_all() != others.of_all()


def test_what_is_shown_of_held_out_patients_is_by_fits_that_left_them_out():
    """With reports that are chance, an echo of a patient's own reports would look like a gain."""
    found = simulated("calibrated", images=1000)[1]
    stated = np.random.default_rng(3).permutation(found.stated)
    learned = cases_of(replace(found, stated=stated))
    comparison = Comparison(learned, CrossFit(learned), PRIOR, Trust(calibrated=True))
    rates = learned.label_sets.mean(axis=0)
    entropy = -(rates * np.log(rates) + (1 - rates) * np.log1p(-rates)).mean()
    assert comparison.log_loss()[0].fitted >= entropy


def test_of_too_many_images_whole_patients_are_left_out(monkeypatch):
    found = simulated(images=1000)[1]
    some = cases_of(found, most=500)
    assert 490 <= len(some) <= 500
    for patient in np.unique(some.patients):
        assert (some.patients == patient).sum() == (found.patients == patient).sum()


@pytest.mark.parametrize(("images", "patients"), [(199, 199), (400, 49)])
def test_too_few_reports_are_refused_with_the_least_that_it_takes(images, patients):
    found = simulated(images=images)[1]
    of = np.array([f"p{n % patients}" for n in range(images)])
    with pytest.raises(TooFewReports, match=f"{images} images with a report, of {patients} patients.* takes 200 of 50"):
        cases_of(replace(found, patients=of))
    assert (cases.FEWEST_IMAGES, cases.FEWEST_PATIENTS) == (200, 50)
