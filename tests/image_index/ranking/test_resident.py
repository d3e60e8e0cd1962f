import threading

import numpy as np

from services.image_index.ranking.posterior import match, posterior, readings
from services.image_index.ranking.posterior_scan import posterior_columns
from services.image_index.ranking.prior import LabelSetPrior, shipped_prior
from services.image_index.ranking.resident import Resident
from tests.image_index.ranking.fusions import fusion, known

PRIOR = shipped_prior()


def of(resident, images, rows, how=None, prior=PRIOR):
    return resident.posteriors(rows, images.some, how or fusion(), prior)


def assert_same(view, images, rows, how=None, prior=PRIOR):
    expected = posterior((how or fusion()).log_odds(images.some(slice(rows))), prior)
    for name in ("evidence", "marginals", "marginal_sums", "log_z"):
        np.testing.assert_allclose(getattr(view, name), getattr(expected, name), rtol=2e-5, atol=2e-5)


def test_columns_that_grew_are_those_of_all_rows_at_once():
    images, resident = known(5000), Resident()
    for rows in (0, 1, 10, 1500, 5000):
        assert_same(of(resident, images, rows), images, rows)


def test_an_older_gallery_keeps_its_view_while_the_columns_grow():
    images, resident = known(4000), Resident()
    old = of(resident, images, 1000)
    of(resident, images, 4000)
    assert_same(old, images, 1000)
    assert_same(of(resident, images, 1000), images, 1000)


def test_other_fusion_or_another_prior_begins_anew():
    images, resident = known(300), Resident()
    doubtful = fusion(reports=0.5)
    smoother = LabelSetPrior(PRIOR.sets, PRIOR.counts, smoothing=0.5)
    first = of(resident, images, 300)
    assert_same(of(resident, images, 300, doubtful), images, 300, doubtful)
    assert_same(of(resident, images, 300, None, smoother), images, 300, None, smoother)
    assert_same(of(resident, images, 300), images, 300)
    assert_same(first, images, 300)


def test_pictures_alone_and_both_together_do_not_drive_each_other_out():
    images, resident = known(300), Resident()
    both = of(resident, images, 300)
    pictures = of(resident, images, 300, fusion("image"))
    assert of(resident, images, 300).evidence.base is both.evidence.base
    assert of(resident, images, 300, fusion("image")).evidence.base is pictures.evidence.base


def test_searches_at_once_see_whole_columns():
    images, resident, wrong = known(3000), Resident(), []
    query = readings(np.eye(14)[3], PRIOR)
    expected = match(posterior(fusion().log_odds(images), PRIOR), query).score

    def search(rows):
        for _ in range(10):
            score = match(of(resident, images, rows), query).score
            if not np.allclose(score, expected[:rows], atol=1e-5):
                wrong.append(rows)

    threads = [threading.Thread(target=search, args=(rows,)) for rows in (500, 1000, 2000, 3000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_quick_posterior_is_off_by_less_than_a_scan_allows_for():
    """Reports and pictures at their loudest: a scan takes scores for right to 1e-4 of themselves."""
    evidence = np.random.default_rng(2).choice([-16.0, -3.0, 0.0, 3.0, 16.0], (14, 4000))
    quick, exact = posterior_columns(evidence, PRIOR), posterior(evidence, PRIOR)
    np.testing.assert_allclose(quick[-1], exact.log_z, atol=4e-5)
    np.testing.assert_allclose(quick[14:28], exact.marginals, atol=1e-5)
