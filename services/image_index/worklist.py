"""The images of an index page by page, in order of their ids. Knows no HTTP."""

from collections.abc import Callable, Sequence

import numpy as np

from services.image_index.ranking.arrays import Vector
from services.image_index.ranking.disagreement import disagreement
from services.image_index.ranking.fusion import Fusion, Known
from services.image_index.ranking.log_odds import logit
from services.image_index.ranking.prior import LabelSetPrior
from services.image_index.ranking.vectors import vector
from services.image_index.store.contract import ImageStore
from services.image_index.store.uids import ImageUids
from shared.labels import LABELS, State
from shared.schemas.images import ImagePage, ImagePageParameters, ImageRecord, ReportEvidence

Wanted = Callable[[Sequence[ImageRecord]], Sequence[ImageRecord]]

_BLOCK = 500
_MOST_LOOKED_AT = 2_000  # for one page, however few are wanted: two tenths of a second


def page_of(store: ImageStore, asked: ImagePageParameters, wanted: Wanted | None = None) -> ImagePage:
    """The page that is asked for: of the images with these UIDs those that are `wanted`, which each block is asked at
    once and in its order. It may end early, for so many may have to be looked at to find one; the next one goes on from
    there.
    """
    uids = ImageUids(**{name: getattr(asked, name) for name in ImageUids._fields})
    size = asked.limit + 1 if wanted is None else _BLOCK
    found: list[ImageRecord] = []
    after, looked_at = asked.cursor or "", 0
    while True:
        block = store.page(uids, after, size)
        passing = block if wanted is None else wanted(block)
        room = asked.limit - len(found)
        found += passing[:room]
        if len(passing) > room:
            return ImagePage(images=found, next_cursor=found[-1].image_id)
        if len(block) < size:
            return ImagePage(images=found, next_cursor=None)
        after, looked_at = block[-1].image_id, looked_at + len(block)
        if len(found) == asked.limit or looked_at >= _MOST_LOOKED_AT:
            return ImagePage(images=found, next_cursor=after)


def disagreeing(fusion: Fusion, prior: LabelSetPrior, *, wanted: bool) -> Wanted:
    """The images whose picture and report disagree strongly, each with the labels in which they do; or all others."""

    def some(block: Sequence[ImageRecord]) -> Sequence[ImageRecord]:
        if not block:
            return block
        found = disagreement(_known(block, prior.base_rates), fusion, prior).named()
        pairs = zip(block, found, strict=True)
        if wanted:
            return [one.model_copy(update={"disagreements": names}) for one, names in pairs if names is not None]
        return [one for one, names in pairs if names is None]

    return some


def _known(block: Sequence[ImageRecord], base_rates: Vector) -> Known:
    return Known(
        np.stack([vector(one.probabilities) for one in block], axis=1),
        np.stack([_report(one.report, base_rates) for one in block], axis=1),
        np.array([one.report is not None for one in block]),
    )


def _report(report: ReportEvidence | None, base_rates: Vector) -> Vector:
    """(14,) its log-odds beyond the base rates."""
    if report is None:
        return np.zeros(len(LABELS))
    told = logit(vector(report.probabilities)) - logit(base_rates)
    doubted = [report.states[label] is State.UNCERTAIN for label in LABELS]
    return np.where(doubted, 0.0, told)
