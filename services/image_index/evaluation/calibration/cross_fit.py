"""Fits that did not see certain patients, so that what is said of these patients is no echo of their own reports."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from services.image_index.evaluation.calibration.cases import FOLDS, Cases
from services.image_index.evaluation.calibration.lines import Lines, fit_lines
from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.log_odds import logit
from services.image_index.ranking.trust import Fit

_ALL = frozenset(range(FOLDS))
_DECIMALS = 9


class CrossFit:
    """Of the cases outside of one fold, or of all. Nothing is fitted twice."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._lines: dict[frozenset[int], Lines] = {}
        self._fits: dict[frozenset[int], Fit] = {}

    def of_all(self) -> Fit:
        return self._kept(frozenset())

    def without(self, fold: int) -> Fit:
        return self._kept(frozenset({fold}))

    def _kept(self, left_out: frozenset[int]) -> Fit:
        found = self._fits.get(left_out)
        if found is None:
            found = self._fits[left_out] = self._fit(left_out)
        return found

    def _fit(self, left_out: frozenset[int]) -> Fit:
        """A label is silenced where its line tells no more than its rate of the folds that are seen, each judged by
        the others.
        """
        lines = self._of(_ALL - left_out)
        gained = np.sum([self._gained(_ALL - left_out, fold) for fold in _ALL - left_out], axis=0)
        speaks = (gained > 0) & (lines.slopes > 0)
        intercepts = np.where(speaks, lines.intercepts, logit(lines.rates))
        slopes = np.where(speaks, lines.slopes, 0.0)
        return Fit(_rounded(slopes), _rounded(intercepts), _rounded(lines.rates))

    def _gained(self, folds: Collection[int], judged: int) -> Vector:
        """(14,) log-loss that the lines of the other folds save in one, against their rates."""
        lines, rows = self._of(frozenset(folds) - {judged}), self._cases.of_fold(judged)
        encoders, stated = self._cases.log_odds[rows], self._cases.stated[rows]
        by_rate = log_loss(np.broadcast_to(logit(lines.rates), encoders.shape), stated)
        return np.asarray(np.nansum(by_rate - log_loss(lines.log_odds(encoders), stated), axis=0))

    def _of(self, folds: frozenset[int]) -> Lines:
        found = self._lines.get(folds)
        if found is None:
            rows = np.isin(self._cases.folds, list(folds))
            found = self._lines[folds] = fit_lines(self._cases.log_odds[rows], self._cases.stated[rows])
        return found


def log_loss(log_odds: NDArray[np.float64], stated: NDArray[np.floating]) -> NDArray[np.float64]:
    """In nats; NaN where it is not known what is so."""
    return np.asarray(np.logaddexp(0.0, log_odds) - stated * log_odds)


def _rounded(values: Vector) -> tuple[float, ...]:
    """The last digits of a sum hang on how many threads the library takes for it: one index has one fit."""
    return tuple(np.round(values, _DECIMALS).tolist())
