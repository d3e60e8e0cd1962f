import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.image_index.ranking.selection import contenders


def plainly(rows, scores, errors, k):
    """All rows whose best possible score reaches what k rows have at least."""
    lowest = sorted((scores - errors)[rows].tolist(), reverse=True)
    return [row for row in rows.tolist() if len(rows) <= k or (scores + errors)[row] >= lowest[k - 1]]


@given(
    images=st.integers(1, 9000),
    distinct=st.sampled_from([2, 50, 10**9]),
    k=st.sampled_from([1, 5, 200, 1000]),
    passing=st.sampled_from([1.0, 0.9, 0.001]),
    seed=st.integers(0, 5),
)
@settings(deadline=None, max_examples=60)
def test_contenders_are_those_that_a_full_sort_would_keep(*, images, distinct, k, passing, seed):
    rng = np.random.default_rng(seed)
    scores = np.floor(rng.random(images) * distinct).astype(np.float32) / np.float32(distinct)
    errors = (rng.random(images) * 0.01).astype(np.float32)
    rows = np.flatnonzero(rng.random(images) < passing)
    assert contenders(rows, scores, errors, k).tolist() == plainly(rows, scores, errors, k)


@pytest.mark.parametrize("error", [1e-5, 0.0])
def test_one_error_may_hold_for_all(error):
    scores = np.linspace(0, 1, 5000, dtype=np.float32)
    assert contenders(np.arange(5000), scores, error, 3).tolist() == [4997, 4998, 4999]
