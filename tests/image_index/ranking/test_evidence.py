import numpy as np

from services.image_index.ranking.evidence import evidence_against
from services.image_index.ranking.log_odds import log_odds
from services.image_index.ranking.statistics import exact_sums, statistics_of

LABELS = 14
BASE_RATES = np.full(LABELS, 0.2)


def sigmoid(odds):
    return 1 / (1 + np.exp(-odds))


def gallery(images=4000, slope=1.0, shift=0.0, seed=0):
    odds = np.random.default_rng(seed).normal(-1.5, 1.1, (LABELS, images))
    return sigmoid(odds * slope + shift).astype(np.float32)


def statistics(p):
    return statistics_of(exact_sums(p), p.shape[1])


def evidence(p, *, calibrated=False):
    return evidence_against(statistics(p), BASE_RATES, calibrated=calibrated).of(p)


def test_statistics_are_those_of_numpy():
    p = gallery()
    found = statistics(p)
    np.testing.assert_allclose(found.mean, p.mean(axis=1, dtype=np.float64), atol=1e-9)
    np.testing.assert_allclose(found.center, log_odds(p).mean(axis=1), atol=1e-4)
    np.testing.assert_allclose(found.spread, log_odds(p).std(axis=1), atol=1e-3)


def test_exact_sums_do_not_hang_on_the_order_or_on_blocks():
    p = gallery(999)
    shuffled = p[:, np.random.default_rng(1).permutation(999)]
    whole = exact_sums(p)
    np.testing.assert_array_equal(exact_sums(shuffled), whole)
    np.testing.assert_array_equal(exact_sums(p[:, :400]) + exact_sums(p[:, 400:]), whole)


def test_a_shift_of_all_log_odds_changes_evidence_little_and_no_image_more_than_another():
    change = evidence(gallery(shift=2.0)) - evidence(gallery())
    assert np.abs(change).max() < 0.5
    assert np.ptp(change, axis=1).max() < 0.01


def test_half_of_too_much_confidence_is_taken_back():
    usual, sure, unsure = (evidence(gallery(slope=slope)).std(axis=1) for slope in (1.0, 4.0, 0.25))
    np.testing.assert_allclose(sure / usual, 2.0, rtol=0.1)
    np.testing.assert_allclose(unsure / usual, 0.5, rtol=0.1)


def test_an_encoder_that_says_the_same_of_all_images_says_nothing():
    p = np.full((LABELS, 5000), 0.86, dtype=np.float32)
    np.testing.assert_allclose(evidence(p), 0.0, atol=1 / 4)


def test_the_mean_probability_of_the_gallery_stays_as_it_is():
    p = gallery(slope=3.0)
    b = p.mean(axis=1, dtype=np.float64)
    base = np.log(b) - np.log1p(-b)
    np.testing.assert_allclose(sigmoid(evidence(p) + base[:, None]).mean(axis=1), b, atol=0.02)


def test_log_odds_that_spread_as_usual_stay_as_they_are_however_they_are_distributed():
    p = np.full((LABELS, 20_000), 0.02)
    p[:, ::8] = 0.57  # two heaps
    odds = log_odds(p)
    p = sigmoid((odds - odds.mean()) * 1.1 / odds.std() - 2.0)
    b = p.mean(axis=1)
    np.testing.assert_allclose(evidence(p), log_odds(p) - np.log(b / (1 - b))[:, None], atol=1 / 8)


def test_a_calibrated_encoder_is_believed_in_part_that_the_gallery_differs_from_reports():
    p = gallery(shift=4.0)
    more = evidence(p, calibrated=True) - evidence(p)
    b = p.mean(axis=1, dtype=np.float64)
    differs = np.log(b / (1 - b)) - np.log(0.2 / 0.8)
    assert (differs > 2.0).all()  # an eighth of that is four steps
    np.testing.assert_allclose(more, np.broadcast_to(differs[:, None] / 8, p.shape), atol=1 / 8)


def test_in_a_small_gallery_a_probability_speaks_for_itself():
    p = np.full((LABELS, 2), 0.9, dtype=np.float32)
    p[1] = 0.02
    for both in (p, p[:, [0, 0]], p[:, [1, 1]]):
        says = evidence(both)
        assert (says[both > 0.5] > 1.5).all()
        assert (says[both < 0.5] < -1.5).all()


def test_before_any_image_evidence_is_what_exceeds_the_base_rate():
    nothing = statistics_of(exact_sums(np.zeros((LABELS, 0), dtype=np.float32)), 0)
    p = np.linspace(0.01, 0.99, 20, dtype=np.float32)[None].repeat(LABELS, axis=0)
    for calibrated in (False, True):
        says = evidence_against(nothing, BASE_RATES, calibrated=calibrated).of(p)
        np.testing.assert_allclose(says, log_odds(p) - np.log(0.2 / 0.8), atol=1 / 16)
