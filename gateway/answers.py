"""What the gateway adds to the answers of the index: links, request id, models, timings."""

from collections.abc import Sequence
from typing import Any

from asgi_correlation_id import correlation_id

from gateway.links import Links
from gateway.timings import Timings
from shared.schemas.images import ImagePage, ImageRecord
from shared.schemas.retrieve import GatewayResponse, Hit, Image, Images, Models, Ranking, Study
from shared.schemas.search import SearchResult
from shared.schemas.studies import StudyRecord
from shared.schemas.system import ModelInfo


def ranking(result: SearchResult, links: Links) -> Ranking:
    return Ranking(
        hits=[Hit(**dict(hit), links=links.of(hit)) for hit in result.hits],
        reason=result.reason,
        ties_at_cutoff=result.ties_at_cutoff,
        candidates=result.candidates,
        excluded=result.excluded,
    )


def image(record: ImageRecord, links: Links) -> Image:
    return Image(**dict(record), links=links.of(record))


def study(record: StudyRecord, links: Links) -> Study:
    return Study(**dict(record) | {"images": [image(each, links) for each in record.images]})


def images(page: ImagePage, links: Links) -> Images:
    return Images(images=[image(record, links) for record in page.images], next_cursor=page.next_cursor)


def gateway_answer(
    found: Sequence[SearchResult], timings: Timings, *, text_model: ModelInfo | None = None
) -> dict[str, Any]:
    """The fields of a GatewayResponse. Of several searches, the state of the index that all of them had seen."""
    answer = GatewayResponse(
        request_id=correlation_id.get() or "",
        models=Models(text=text_model, image=found[0].model),
        index=min((result.index for result in found), key=lambda index: index.generation),
        timings_ms=timings.so_far(),
    )
    return dict(answer)
