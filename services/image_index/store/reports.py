"""A report as a store keeps it: what it says of the labels, of whom it speaks, and when. Never a word of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.report_evidence import probabilities_of
from services.image_index.ranking.vectors import named
from shared.labels import LABELS, State
from shared.schemas.images import ReportEvidence

_STATES = tuple(State)  # a state is stored as its place here
_STATED = np.array([{State.PRESENT: 1.0, State.UNCERTAIN: np.nan}.get(state, 0.0) for state in _STATES], np.float32)


TargetKind = Literal["image", "study", "accession"]


class ReportTarget(NamedTuple):
    """An image id, a Study Instance UID, or the keyed hash of an accession number."""

    kind: TargetKind
    key: str


@dataclass(frozen=True, eq=False)
class NewReport:
    """`evidence` (14,): log-odds beyond what reports say in general. `states`: 14, in the order of LABELS.

    `issued` is in UTC; where it was not `issued_given`, the moment of receipt.
    """

    evidence: NDArray[np.float16]
    states: tuple[State, ...]
    text_model_sha256: str
    issued: datetime
    issued_given: bool = True


@dataclass(frozen=True)
class KeptReport:
    """A report as it is stored, or (`evidence` None) that one was removed, at the moment `issued`."""

    number: int
    evidence: bytes | None
    states: bytes | None
    text_model_sha256: str | None
    issued: datetime
    issued_given: bool

    def says(self, new: NewReport) -> bool:
        """Whether to store the new one would change nothing. One without a time is no later for being sent again."""
        content = report_blob(new.evidence), state_codes(new.states), new.text_model_sha256
        same_time = not new.issued_given or new.issued == self.issued
        return (self.evidence, self.states, self.text_model_sha256) == content and same_time

    def shown(self, of: TargetKind, base_rates: Vector) -> ReportEvidence | None:
        """By name. `base_rates` (14,): how often reports state each label. None of one that was removed, or that waits
        under an accession number.
        """
        if self.evidence is None or self.states is None or self.text_model_sha256 is None or of == "accession":
            return None
        alone = probabilities_of(np.frombuffer(self.evidence, dtype="<f2")[:, None], base_rates)[:, 0]
        return ReportEvidence(
            states=dict(zip(LABELS, _states_of(self.states), strict=True)),
            probabilities=named(alone),
            text_model_sha256=self.text_model_sha256,
            issued=self.issued,
            of=of,
        )

    def again(self) -> NewReport | None:
        """As it was when it was new; None of one that was removed."""
        if self.evidence is None or self.states is None or self.text_model_sha256 is None:
            return None
        evidence = np.frombuffer(self.evidence, dtype="<f2")
        return NewReport(evidence, _states_of(self.states), self.text_model_sha256, self.issued, self.issued_given)


class ReportOutcome(StrEnum):
    STORED = "stored"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"  # the same one is stored
    OUTDATED = "outdated"  # one that was issued later is stored; nothing was changed
    WAITING = "waiting"  # stored; no image of its target is there yet
    REMOVED = "removed"  # one was removed after this one was issued; nothing was changed
    AMBIGUOUS = "ambiguous"  # images of several studies have this accession number; nothing was changed


class ReportPut(NamedTuple):
    """What became of a report. `images`: for how many the report of its image or study counts now; `known`: whether
    any image of it is there.
    """

    outcome: ReportOutcome
    images: int
    known: bool


def outcome_of(new: NewReport, kept: KeptReport | None, *, replace: bool) -> ReportOutcome:
    """What becomes of a new report where `kept` is stored for its target. The one that was issued later counts."""
    if kept is None:
        return ReportOutcome.STORED
    if kept.evidence is None:
        later = new.issued_given and new.issued > kept.issued
        return ReportOutcome.STORED if later or replace else ReportOutcome.REMOVED
    if kept.says(new):
        return ReportOutcome.UNCHANGED
    return ReportOutcome.OUTDATED if new.issued < kept.issued and not replace else ReportOutcome.REPLACED


def report_blob(evidence: NDArray[np.float16]) -> bytes:
    """14 little-endian float16."""
    return evidence.astype("<f2").tobytes()


def state_codes(states: tuple[State, ...]) -> bytes:
    return bytes(map(_STATES.index, states))


def _states_of(codes: bytes) -> tuple[State, ...]:
    return tuple(_STATES[code] for code in codes)


def stated(codes: bytes) -> NDArray[np.float32]:
    """1 where a label is present, NaN where it is uncertain, else 0; of any number of reports behind one another."""
    return np.asarray(_STATED[np.frombuffer(codes, dtype=np.uint8)])
