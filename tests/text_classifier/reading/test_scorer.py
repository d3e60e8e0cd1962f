from functools import cache
from itertools import chain, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.text_classifier.reading.model_folder import read_model_folder
from services.text_classifier.reading.scorer import Scorer, _runs
from services.text_classifier.settings import BUNDLED_MODEL

LENGTHS = st.lists(st.integers(1, 60), max_size=7)


def cost(runs, lengths, run_costs):
    return sum(run_costs + len(run) * max(lengths[i] for i in run) for run in runs)


def partitions(items, most, lengths):
    """All ways to cut a sorted list into neighbours that fit."""
    if not items:
        yield []
    for end in range(1, len(items) + 1):
        head = items[:end]
        if end == 1 or end * lengths[head[-1]] <= most:
            yield from ([head, *rest] for rest in partitions(items[end:], most, lengths))


@given(lengths=LENGTHS, most=st.integers(1, 200), run_costs=st.integers(0, 50))
def test_runs_hold_each_sequence_once_fit_and_cost_least(lengths, most, run_costs):
    runs = _runs(lengths, most, run_costs)
    assert sorted(chain(*runs)) == list(range(len(lengths)))
    assert all(len(run) == 1 or len(run) * max(lengths[i] for i in run) <= most for run in runs)
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    least = min(cost(cut, lengths, run_costs) for cut in partitions(order, most, lengths))
    assert cost(runs, lengths, run_costs) == least


def test_short_and_long_sequences_are_not_padded_to_each_other():
    runs = _runs([10, 100, 11, 101, 12, 99], most=1000, run_costs=20)
    assert sorted(map(sorted, runs)) == [[0, 2, 4], [1, 3, 5]]


def test_thousand_windows_are_parted_without_delay():
    runs = _runs([150] * 1000, most=256, run_costs=20)
    assert len(runs) == 1000
    assert all(a < b for a, b in pairwise(sorted(run[0] for run in runs)))


LOGITS = arrays(np.float32, (2, 14, 4), elements=st.floats(-30, 30, width=32))


@given(logits=LOGITS)
def test_the_four_states_are_millionths_that_sum_to_one(logits):
    posteriors = scorer()._posteriors(logits)
    assert (posteriors >= 0).all()
    np.testing.assert_allclose(posteriors.sum(axis=-1), 1, atol=1e-12)
    np.testing.assert_allclose(posteriors * 1e6, np.round(posteriors * 1e6), atol=1e-6)


@cache
def scorer() -> Scorer:
    class Cpu:
        device = "cpu"

    return Scorer(read_model_folder(BUNDLED_MODEL), Cpu(), pad=0)
