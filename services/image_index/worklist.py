"""The images of an index page by page, in order of their ids. Knows no HTTP."""

from collections.abc import Callable, Sequence

from services.image_index.store.contract import ImageStore
from services.image_index.store.uids import ImageUids
from shared.schemas.images import ImagePage, ImagePageParameters, ImageRecord

Wanted = Callable[[Sequence[ImageRecord]], Sequence[ImageRecord]]

_BLOCK = 500
_MOST_LOOKED_AT = 2_000  # for one page, however few are wanted: two tenths of a second


def page_of(store: ImageStore, asked: ImagePageParameters, wanted: Wanted | None = None) -> ImagePage:
    """The page that is asked for: of the images with these UIDs those that are `wanted`, which each block is asked at
    once and in its order. It may end early, for so many may have to be looked at to find one; the next one goes on from
    there.
    """
    uids = ImageUids(asked.study_instance_uid, asked.series_instance_uid, asked.sop_instance_uid)
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
