"""How often each set of labels is reported: what is known of an image before it is looked at.

Findings do not come one by one: an effusion brings opacity, devices come with everything, and No Finding excludes the
rest. The 14 base rates alone know nothing of it; counts of whole label sets do.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from shared.commands import plain
from shared.labels import LABELS
from shared.tables import TableUnusable, read_whole

SHIPPED = Path(__file__).parent / "priors" / "label_sets.csv"
SMOOTHING = 0.1
COUNT = "count"


class PriorUnusable(ValueError):
    """The file is no table of label sets; the message says why."""


@dataclass(frozen=True, eq=False)
class LabelSetPrior:
    """`sets` (S, 14) of 0 and 1, no two equal; `counts` (S,), how often each was seen.

    pi(s) = (1 - smoothing) · count(s) / all + smoothing · the independent product of base rates, so that no set is
    impossible: one that was never seen is as likely as its findings are together by chance.
    """

    sets: Vector
    counts: Vector
    smoothing: float = SMOOTHING

    def __post_init__(self) -> None:
        if self.sets.ndim != 2 or self.sets.shape != (len(self.counts), len(LABELS)) or not self.counts.sum() > 0:
            raise ValueError(f"expected label sets (S, {len(LABELS)}) with counts (S,), of which some are positive")
        if len(np.unique(self.sets, axis=0)) != len(self.sets) or not np.isin(self.sets, (0.0, 1.0)).all():
            raise ValueError("label sets must be of 0 and 1, each listed once")
        if (self.counts < 0).any() or not 0 < self.smoothing <= 1:
            raise ValueError("counts must not be negative, and smoothing must be in (0, 1]")

    @cached_property
    def base_rates(self) -> Vector:
        """(14,) how often each label is present; kept away from 0 and 1 by half a report."""
        present = self.counts @ self.sets
        return np.asarray((present + 0.5) / (self.counts.sum() + 1.0))

    @cached_property
    def log_frequencies(self) -> Vector:
        """(S,) log pi of the listed sets."""
        seen = (1 - self.smoothing) * self.counts / self.counts.sum()
        return np.asarray(np.log(seen + self.smoothing * np.exp(self._log_by_chance(self.sets))))

    def log_frequencies_of(self, sets: Vector) -> Vector:
        """(Q, 14) -> (Q,) log pi of any sets."""
        found = self.positions(sets)
        unseen = np.log(self.smoothing) + self._log_by_chance(sets)
        return np.where(found >= 0, self.log_frequencies[found], unseen)

    def positions(self, sets: Vector) -> NDArray[np.intp]:
        """(Q, 14) -> (Q,) where each set is listed, -1 where it is not."""
        return np.array([self._places.get(_key(one), -1) for one in sets], dtype=np.intp)

    @cached_property
    def holding(self) -> list[NDArray[np.intp]]:
        """Of each label, the positions of the listed sets that hold it."""
        return holding(self.sets)

    @cached_property
    def digest(self) -> str:
        """Equal for equal priors, whatever the order of the sets: part of what makes a score reproducible."""
        rows = sorted(f"{_key(one)}:{count!r}" for one, count in zip(self.sets, self.counts.tolist(), strict=True))
        return hashlib.sha256("\n".join([*rows, repr(self.smoothing)]).encode()).hexdigest()

    @cached_property
    def _places(self) -> dict[str, int]:
        return {_key(one): place for place, one in enumerate(self.sets)}

    def _log_by_chance(self, sets: Vector) -> Vector:
        rates = self.base_rates
        return np.asarray(sets @ np.log(rates) + (1 - sets) @ np.log1p(-rates))


def holding(sets: Vector) -> list[NDArray[np.intp]]:
    """(S, 14) of 0 and 1 -> of each label, the positions of the sets that hold it."""
    return [present.nonzero()[0] for present in sets.T]


def _key(label_set: Vector) -> str:
    return "".join("1" if present else "0" for present in label_set)


def count_label_sets(sets: Iterable[Iterable[int]], smoothing: float = SMOOTHING) -> LabelSetPrior:
    """A prior of one set of 14 zeros and ones for each report."""
    counted = Counter(tuple(one) for one in sets)
    ordered = sorted(counted, key=lambda one: (-counted[one], one))
    return LabelSetPrior(
        np.array(ordered, dtype=np.float64).reshape(-1, len(LABELS)),
        np.array([counted[one] for one in ordered], dtype=np.float64),
        smoothing,
    )


def read_prior(path: Path, smoothing: float = SMOOTHING) -> LabelSetPrior:
    """Raises PriorUnusable where the file cannot be read, or is no table of the 14 labels and `count`."""
    try:
        columns, rows = read_whole(path)
    except OSError as error:
        raise PriorUnusable(f"The prior cannot be read: {plain(error)}") from error
    except TableUnusable as error:
        raise PriorUnusable(f"The prior cannot be read: {error}") from error
    missing = {*LABELS, COUNT} - set(columns)
    if missing:
        raise PriorUnusable(f"The prior {path} lacks the columns {', '.join(sorted(missing))}.")
    try:
        sets = [[float(row[label]) for label in LABELS] for row in rows]
        counts = [float(row[COUNT]) for row in rows]
        return LabelSetPrior(np.array(sets).reshape(-1, len(LABELS)), np.array(counts), smoothing)
    except (TypeError, ValueError) as error:
        raise PriorUnusable(f"The prior {path} is no table of label sets: {error}") from error


def write_prior(path: Path, prior: LabelSetPrior) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*LABELS, COUNT])
        for one, count in zip(prior.sets.astype(int).tolist(), prior.counts.tolist(), strict=True):
            writer.writerow([*one, f"{count:g}"])


@cache
def shipped_prior() -> LabelSetPrior:
    """Counted in 4,415 CheXpert reports; see priors/README.md."""
    return read_prior(SHIPPED)
