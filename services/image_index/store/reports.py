"""A report as a store keeps it: what it says of the labels, of whom it speaks, and when. Never a word of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.labels import State


class ReportTarget(NamedTuple):
    """An image id, a Study Instance UID, or the keyed hash of an accession number."""

    kind: Literal["image", "study", "accession"]
    key: str


@dataclass(frozen=True)
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
class StoredReport:
    evidence: NDArray[np.float16]
    states: tuple[State, ...]
    text_model_sha256: str
    issued: datetime
    of: Literal["image", "study"]


class ReportOutcome(StrEnum):
    STORED = "stored"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"  # the same one is stored
    OUTDATED = "outdated"  # one that was issued later is stored; nothing was changed
    WAITING = "waiting"  # stored; no image of its target is there yet
    REMOVED = "removed"  # one was removed after this one was issued; nothing was changed
    AMBIGUOUS = "ambiguous"  # images of several studies have this accession number; nothing was changed
