import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.image_index.ranking.prior import shipped_prior
from services.image_index.ranking.report_evidence import MOST, evidence_of_report, probabilities_of
from shared.labels import LABELS, State
from tests.image_index.ranking.fusions import fusion, known

PNEUMONIA = LABELS.index("Pneumonia")
RATES = shipped_prior().base_rates


def read(state, probability, others=State.NOT_MENTIONED):
    """The evidence for Pneumonia of a report that says so of it."""
    states, probabilities = [others] * 14, np.full(14, 0.01)
    states[PNEUMONIA], probabilities[PNEUMONIA] = state, probability
    return float(evidence_of_report(states, probabilities, RATES)[PNEUMONIA])


@given(st.floats(0, 1))
def test_possible_pneumonia_never_lowers_pneumonia(probability):
    assert read(State.UNCERTAIN, probability) == 0.0


def test_what_is_not_mentioned_is_less_improbable_than_what_is_denied():
    assert read(State.ABSENT, 0.01) < read(State.NOT_MENTIONED, 0.01) < 0 < read(State.PRESENT, 0.97)


@given(st.lists(st.sampled_from(list(State)), min_size=14, max_size=14), st.integers(0, 2**32 - 1))
def test_no_report_exceeds_the_most_log_odds(states, seed):
    evidence = evidence_of_report(states, np.random.default_rng(seed).random(14), RATES)
    assert evidence.dtype == np.float16
    assert (abs(evidence) <= MOST).all()


def test_evidence_grows_with_the_probability_that_a_label_is_present():
    found = [read(State.PRESENT, p) for p in (0.5, 0.7, 0.9, 1.0)]
    assert found == sorted(found)


def test_a_report_alone_is_told_as_probabilities_around_the_base_rates():
    np.testing.assert_allclose(probabilities_of(np.zeros((14, 1)), RATES)[:, 0], RATES)


def test_evidence_of_picture_and_report_adds():
    images = known(50)
    both, pictures, reports = (fusion(name).log_odds(images) for name in ("all", "image", "report"))
    np.testing.assert_allclose(both, pictures + reports)


def test_an_image_without_a_report_is_what_its_picture_is():
    images = known(50, share=0.0)
    np.testing.assert_array_equal(fusion().log_odds(images), fusion("image").log_odds(images))
    np.testing.assert_array_equal(fusion().probabilities(images), images.probabilities)


def test_a_label_without_support_has_no_evidence_from_pictures():
    images = known(50, share=0.0)
    assert (fusion(silent={PNEUMONIA}).log_odds(images)[PNEUMONIA] == 0).all()
    np.testing.assert_allclose(fusion(silent={PNEUMONIA}).probabilities(images)[PNEUMONIA], RATES[PNEUMONIA])


def test_a_label_without_support_is_known_by_reports():
    images = known(50, share=1.0)
    found = fusion(silent={PNEUMONIA}).log_odds(images)
    np.testing.assert_array_equal(found[PNEUMONIA], images.reports[PNEUMONIA].astype(np.float64))


def test_probabilities_of_both_are_those_of_the_fused_log_odds():
    images = known(20, share=1.0)
    p = images.probabilities.astype(np.float64)
    expected = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + images.reports)))
    np.testing.assert_allclose(fusion().probabilities(images), expected, rtol=1e-5)


@pytest.mark.parametrize("evidence", ["all", "image", "report"])
def test_one_image_is_fused_as_many_are(evidence):
    images = known(40)
    for method in ("log_odds", "probabilities"):
        together = getattr(fusion(evidence), method)(images)
        alone = [getattr(fusion(evidence), method)(images.some(slice(n, n + 1))) for n in range(40)]
        np.testing.assert_array_equal(together, np.concatenate(alone, axis=1))
