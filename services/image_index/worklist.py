"""The images of an index page by page, in order of their ids. Knows no HTTP."""

from collections.abc import Callable, Sequence

from services.image_index.store.contract import ImageStore
from shared.schemas.images import ImageListing, ImagePage, ImageRecord, ImageUids

Wanted = Callable[[Sequence[ImageRecord]], Sequence[bool]]

_BLOCK = 500
_MOST_LOOKED_AT = 5_000  # for one page, however few are wanted: some tenths of a second


def page_of(store: ImageStore, listing: ImageListing, wanted: Wanted | None = None) -> ImagePage:
    """The page behind the listing's cursor: of the images with its UIDs those that are `wanted`, of which each block is
    asked at once. It may end early, for so many may have to be looked at to find one; the next one goes on from there.
    """
    uids = ImageUids(**listing.model_dump(include=set(ImageUids.model_fields)))
    size = listing.limit + 1 if wanted is None else _BLOCK
    found: list[ImageRecord] = []
    after, looked_at = listing.cursor or "", 0
    while True:
        block = store.page(uids, after, size)
        passing = (
            block if wanted is None else [one for one, is_wanted in zip(block, wanted(block), strict=True) if is_wanted]
        )
        room = listing.limit - len(found)
        found += passing[:room]
        if len(passing) > room:
            return ImagePage(images=found, next_cursor=found[-1].image_id)
        if len(block) < size:
            return ImagePage(images=found, next_cursor=None)
        after, looked_at = block[-1].image_id, looked_at + len(block)
        if len(found) == listing.limit or looked_at >= _MOST_LOOKED_AT:
            return ImagePage(images=found, next_cursor=after)
