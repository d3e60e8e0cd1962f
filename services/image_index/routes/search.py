"""Searches: by the weights of labels, or by an image."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.image_index.index import ImageIndex
from services.image_index.routes.uploads import UPLOAD_ERRORS, read_upload
from shared.errors import Conflict, DeadlineExceeded, Unavailable
from shared.schemas.search import ImageSearchParameters, ImageSearchResult, SearchOptions, SearchRequest, SearchResult
from shared.web.documented import documented
from shared.web.json_body import validation_errors
from shared.web.openapi import OPTIONS_PART, SEARCH_EXAMPLES, image_body
from shared.web.strict_route import strict_router


def search_router(index: ImageIndex) -> APIRouter:
    router = strict_router(prefix="/v1/search", tags=["search"])

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
        openapi_extra=image_body(OPTIONS_PART),
    )
    async def search_by_image(
        request: Request, parameters: Annotated[ImageSearchParameters, Query()]
    ) -> ImageSearchResult:
        """The image is read, labelled and compared as any image of the index; it is not kept, and nothing is excluded
        unless a filter says so.

            curl -X POST 'localhost:8002/v1/search/by-image?k=3' --data-binary @chest.png
        """
        upload = await read_upload(request, OPTIONS_PART)
        merged = _merged(upload.said("options", SearchOptions), parameters)
        return await index.search_by_image(upload.data, merged, accept_any=parameters.accept_any)

    return router


def _merged(options: SearchOptions | None, parameters: ImageSearchParameters) -> SearchOptions:
    """A query parameter counts before the form's part."""
    sent = {} if options is None else options.model_dump(exclude_unset=True)
    given = parameters.model_dump(exclude_unset=True, exclude={"accept_any"})
    try:
        return SearchOptions.model_validate(sent | given)
    except ValidationError as error:
        raise RequestValidationError(validation_errors(error, at=("query",))) from None
