"""The contract that every store keeps. A store knows images as 14 numbers with metadata; pixels only to show them.

Every write that returned is durable. Every search sees one generation of the index whole.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.query import Query
from services.image_index.ranking.statistics import Statistics
from services.image_index.store.new_image import NewImage, PutOutcome
from services.image_index.store.reports import NewReport, ReportOutcome, ReportPut, ReportTarget
from services.image_index.store.uids import ImageUids
from shared.labels import LabelName
from shared.schemas.images import ImageRecord, ReportEvidence
from shared.schemas.search import Excluded
from shared.schemas.studies import StudyRecord
from shared.schemas.system import IndexDescription, IndexInfo


@dataclass(frozen=True)
class Hit:
    record: ImageRecord
    probabilities: dict[LabelName, float]  # by the evidence that was asked for
    disagreements: list[LabelName] | None  # of its picture with its report; None where they do not disagree strongly
    score: float
    exact: float  # the probability that the image shows exactly the query's findings
    overlap: float  # the expected intersection over union of what both show
    merged: int  # further candidates that it stands for: of its study or patient, or of the same picture


@dataclass(frozen=True)
class Found:
    """The answer to a query: at most k hits, best first."""

    hits: list[Hit]
    candidates: int  # images that passed the filters
    ties_at_cutoff: int  # further images that score exactly as the last hit
    excluded: Excluded | None  # None where nothing was to be left out
    info: IndexInfo  # of the generation that was searched
    dated: bool = True  # whether any image has a study date; looked at only where dates were asked for


class Forgotten(NamedTuple):
    """How many of each went; the reports of the images that went with them are not counted."""

    images: int
    reports: int


class ImageStore(Protocol):
    """Thread-safe, and closed at the end of a `with`. Raises Unavailable where the disk is full or fails; what was
    acknowledged before is kept.
    """

    def put(self, images: Sequence[NewImage], *, replace: bool = False) -> list[PutOutcome]:
        """Durable when it returns, all in one transaction, with the reports that come with them. `replace`: also a
        report that was removed, or is outdated. Refuses images of other weights with a ValueError.
        """
        ...

    def delete(self, image_id: str) -> bool:
        """False where there was no such image. Durable when it returns. Its report goes with it, and with the last
        image of a study the study's.
        """
        ...

    def delete_study(self, uid: str) -> int:
        """Its images, their reports and its own, in one transaction; how many images. Durable when it returns. What is
        left keeps late copies of the reports from coming back.
        """
        ...

    def delete_patient(self, keys: Collection[str]) -> int:
        """The same of all images under any of the keys, and of all their studies."""
        ...

    def forget_before(self, when: datetime, limit: int) -> Forgotten:
        """Some of what was received before that: so many images and reports at most, images first. Nothing is left."""
        ...

    def get(self, image_id: str) -> ImageRecord | None: ...

    def page(self, uids: ImageUids, after: str, limit: int) -> list[ImageRecord]:
        """Images with these UIDs in order of their ids, at most `limit`, from the first one behind `after` on."""
        ...

    def study(self, uid: str, most: int) -> StudyRecord | None:
        """With so many of its images at most; None where there is neither an image nor a report of it."""
        ...

    def stored_sha256(self, image_id: str) -> str | None:
        """Of the content that is stored under the id; None where there is none."""
        ...

    def thumbnail(self, image_id: str) -> bytes | None: ...

    def cam(self, image_id: str, label: LabelName) -> NDArray[np.float16] | None:
        """(h, w): the class-activation grid of one label."""
        ...

    def put_reports(
        self, reports: Sequence[tuple[ReportTarget, NewReport]], *, replace: bool = False
    ) -> list[ReportPut]:
        """Durable when it returns, all in one transaction. Of two reports of one target, the one issued later counts.
        One without images waits for them. `replace`: also one that was removed, or is outdated.
        """
        ...

    def delete_report(self, target: ReportTarget) -> bool:
        """False where there was none. What is left keeps a late copy of it from coming back."""
        ...

    def delete_report_by_accession(self, key: str) -> ReportOutcome:
        """What an accession number finds: a study's report, or one that waits. REMOVED; UNCHANGED where there was
        none; AMBIGUOUS where it finds several, and nothing was changed.
        """
        ...

    def report(self, target: ReportTarget) -> ReportEvidence | None:
        """Of an image, the one that counts for it: its own or its study's, whichever was issued later."""
        ...

    def search(self, query: Query) -> Found:
        """Exact: the order is that of `ranking.rank` over all images of one generation."""
        ...

    def statistics(self) -> Statistics:
        """Of the pictures' probabilities, as searches measure what is usual."""
        ...

    def info(self) -> IndexInfo: ...

    def describe(self) -> IndexDescription:
        """With what has to be counted; searches go on meanwhile."""
        ...

    def write_trouble(self) -> str | None:
        """Why no write would be taken now; None where one would. Quick enough to be asked before every write."""
        ...

    def checksum(self) -> str:
        """Equal for equal content, whatever the order of writes and the engine."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_exc: object) -> None: ...
