"""Figures by hand-made promises."""

import numpy as np
import pytest

from services.workbench.calibration_error import Bin, calibration_error, reliability_bins

RNG = np.random.default_rng(0)


def test_a_calibrated_probability_has_no_calibration_error():
    probability = RNG.random(200_000)
    true = RNG.random(200_000) < probability
    assert calibration_error(probability, true) < 0.005
    assert calibration_error(probability**3, true) > 0.1


def test_it_is_the_gap_between_said_and_seen():
    truth = np.array([0, 1] * 50, dtype=np.float32)
    assert calibration_error(np.full(100, 0.5), truth, bins=5) == pytest.approx(0.0)
    assert calibration_error(np.full(100, 0.9), truth, bins=5) == pytest.approx(0.4)


def test_all_bins_hold_as_many_wherever_the_probabilities_lie():
    rare = RNG.beta(0.2, 8, 1003)
    bins = reliability_bins(rare, RNG.random(1003) < rare)
    assert {one.count for one in bins} == {100, 101}
    assert [one.promised for one in bins] == sorted(one.promised for one in bins)


def test_the_order_of_the_examples_changes_nothing_where_promises_are_equal():
    promised = np.round(RNG.beta(0.3, 3, 500), 1)
    found = RNG.random(500) < promised
    for order in (np.argsort(found), np.argsort(~found), RNG.permutation(500)):
        assert calibration_error(promised[order], found[order]) == pytest.approx(calibration_error(promised, found))


def test_an_overlap_is_a_promise_that_is_kept_in_part():
    assert reliability_bins(np.array([0.5, 0.1]), np.array([0.7, 0.2])) == [Bin(0.1, 0.2, 1), Bin(0.5, 0.7, 1)]
    assert calibration_error(np.array([0.5, 0.1]), np.array([0.7, 0.2])) == pytest.approx(0.15)


def test_of_no_examples_it_is_not_defined():
    assert np.isnan(calibration_error(np.array([]), np.array([])))
    assert reliability_bins(np.array([]), np.array([])) == []
