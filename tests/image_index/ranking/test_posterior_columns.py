import threading

import numpy as np

from services.image_index.ranking.evidence import Evidence
from services.image_index.ranking.posterior import match, posterior, readings
from services.image_index.ranking.posterior_columns import PosteriorColumns
from services.image_index.ranking.prior import LabelSetPrior, shipped_prior

PRIOR = shipped_prior()
PLAIN = Evidence((1.0,) * 14, (1.5,) * 14)


def some(images, seed=0):
    return np.random.default_rng(seed).random((14, images)).astype(np.float32)


def assert_same(view, probabilities, evidence=PLAIN, prior=PRIOR):
    expected = posterior(evidence.of(probabilities), prior)
    for name in ("evidence", "marginals", "marginal_sums", "log_z"):
        np.testing.assert_allclose(getattr(view, name), getattr(expected, name), rtol=1e-5, atol=1e-5)


def test_columns_that_grew_are_those_of_all_rows_at_once():
    p, columns = some(5000), PosteriorColumns()
    for rows in (0, 1, 10, 1500, 5000):
        assert_same(columns.of(p[:, :rows], PLAIN, PRIOR), p[:, :rows])


def test_an_older_gallery_keeps_its_view_while_the_columns_grow():
    p, columns = some(4000), PosteriorColumns()
    old = columns.of(p[:, :1000], PLAIN, PRIOR)
    columns.of(p, PLAIN, PRIOR)
    assert_same(old, p[:, :1000])
    assert_same(columns.of(p[:, :1000], PLAIN, PRIOR), p[:, :1000])


def test_other_evidence_or_another_prior_begins_anew():
    p, columns = some(300), PosteriorColumns()
    shifted = Evidence((0.5,) * 14, (2.0,) * 14)
    smoother = LabelSetPrior(PRIOR.sets, PRIOR.counts, smoothing=0.5)
    first = columns.of(p, PLAIN, PRIOR)
    assert_same(columns.of(p, shifted, PRIOR), p, shifted)
    assert_same(columns.of(p, PLAIN, smoother), p, PLAIN, smoother)
    assert_same(columns.of(p, PLAIN, PRIOR), p)
    assert_same(first, p)


def test_searches_at_once_see_whole_columns():
    p, columns, wrong = some(3000), PosteriorColumns(), []
    query = readings(np.eye(14)[3], PRIOR)
    expected = match(posterior(PLAIN.of(p), PRIOR), query).score

    def search(rows):
        for _ in range(10):
            score = match(columns.of(p[:, :rows], PLAIN, PRIOR), query).score
            if not np.allclose(score, expected[:rows], atol=1e-5):
                wrong.append(rows)

    threads = [threading.Thread(target=search, args=(rows,)) for rows in (500, 1000, 2000, 3000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
