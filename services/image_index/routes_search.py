"""Searches: by the weights of labels, or by an image."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.image_index.index import RANKING_BY_IMAGE, ImageIndex
from services.image_index.uploads import UPLOAD_ERRORS, AcceptAny, read_upload
from shared.errors import (
    Conflict,
    DeadlineExceeded,
    Unavailable,
)
from shared.openapi import SEARCH_EXAMPLES, image_body
from shared.problems import documented
from shared.schemas.search import MAX_K, ImageSearchResult, RankingName, SearchOptions, SearchRequest, SearchResult


def search_router(index: ImageIndex) -> APIRouter:
    router = APIRouter(prefix="/v1/search", tags=["search"])

    @router.post(
        "", summary="Labels in, similar images out", responses=documented(Conflict, Unavailable, DeadlineExceeded)
    )
    async def search(body: Annotated[SearchRequest, Body(openapi_examples=SEARCH_EXAMPLES)]) -> SearchResult:
        """Ranks all images by their likeness to the query, exactly: the order is a pure function of query, options and
        index generation. A query without any positive weight finds nothing, and the answer says so.
        """
        return await index.search(body)

    @router.post(
        "/by-image",
        summary="An image in, its labels and similar images out",
        responses=UPLOAD_ERRORS,
        openapi_extra=image_body(
            "options", SearchOptions, "Options of the search, filters among them; in place of the query parameters."
        ),
    )
    async def search_by_image(
        request: Request,
        *,
        k: Annotated[int | None, Query(ge=1, le=MAX_K, description="How many images to return at most.")] = None,
        ranking: Annotated[
            RankingName | None, Query(description=f"The measure of similarity; `{RANKING_BY_IMAGE}` if not given.")
        ] = None,
        binarize: Annotated[bool | None, Query(description="Compare 0/1 labels, not probabilities.")] = None,
        min_score: Annotated[float | None, Query(description="Leave out images that score below this.")] = None,
        accept_any: AcceptAny = False,
    ) -> ImageSearchResult:
        """The image is read, labelled and compared as any image of the index; it is not kept, and nothing is excluded
        unless a filter says so.

            curl -X POST 'localhost:8002/v1/search/by-image?k=3' --data-binary @chest.png
        """
        data, options = await read_upload(request, "options", SearchOptions)
        asked = {"k": k, "ranking": ranking, "binarize": binarize, "min_score": min_score}
        given = {name: value for name, value in asked.items() if value is not None}
        return await index.search_by_image(data, _merged(options, given), accept_any=accept_any)

    return router


def _merged(options: SearchOptions | None, given: Mapping[str, object]) -> SearchOptions:
    """A query parameter counts before the form's part."""
    sent: dict[str, object] = {} if options is None else options.model_dump(exclude_unset=True)
    try:
        return SearchOptions.model_validate({**sent, **given})
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False)) from None
