"""Pages of images: each image once, and a bounded piece of work for each page, however few are wanted."""

from collections.abc import Iterator, Sequence

import pytest

from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.worklist import page_of
from shared.schemas.images import ImagePageParameters, ImageRecord
from tests.image_index.store.conftest import WEIGHTS, made_image

IDS = [f"i{number:04}" for number in range(2300)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path_factory.mktemp("index") / "index", WEIGHTS) as store:
        store.put([made_image(image_id, study_instance_uid=f"1.{image_id[-1]}") for image_id in IDS])
        yield store


def all_pages(store: EmbeddedStore, wanted: Sequence[str] | None, limit: int, **uids: str) -> list[list[str]]:
    def those_wanted(records: Sequence[ImageRecord]) -> list[ImageRecord]:
        return [record for record in records if record.image_id in (wanted or ())]

    pages, cursor = [], None
    while True:
        asked = ImagePageParameters(limit=limit, cursor=cursor, **uids)
        page = page_of(store, asked, None if wanted is None else those_wanted)
        pages.append([record.image_id for record in page.images])
        cursor = page.next_cursor
        if cursor is None:
            return pages


@pytest.mark.parametrize("limit", [1, 7, 500, 501, 1000])
@pytest.mark.parametrize("wanted", [IDS[3::400], IDS[490:510], IDS[-1:], []])
def test_each_wanted_image_is_on_one_page(store: EmbeddedStore, wanted: list[str], limit: int) -> None:
    pages = all_pages(store, wanted, limit)

    assert [image_id for page in pages for image_id in page] == wanted
    assert max(map(len, pages)) <= limit


def test_a_page_without_any_wanted_image_ends_after_so_many_and_the_next_goes_on(store: EmbeddedStore) -> None:
    assert all_pages(store, IDS[-1:], 10) == [[], IDS[-1:]]


@pytest.mark.parametrize("limit", [1, 115, 230, 231, 1000])
def test_full_pages_come_without_an_empty_one_at_the_end(store: EmbeddedStore, limit: int) -> None:
    pages = all_pages(store, None, limit, study_instance_uid="1.7")

    assert [image_id for page in pages for image_id in page] == IDS[7::10]
    assert len(pages) == -(-230 // limit)
