"""From words to labels to images: the calls that answer a question."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request

from gateway.answers import gateway_answer, ranking
from gateway.openapi import CLASSIFY_EXAMPLES, RETRIEVE_EXAMPLES, AcceptAny, body_errors
from gateway.parts import Parts
from gateway.retrieve import retrieve
from gateway.timings import Timings
from gateway.uploads import Upload
from shared.errors import Conflict, NotAChestRadiograph, UnsupportedMediaType
from shared.openapi import SEARCH_EXAMPLES, image_body
from shared.schemas.retrieve import ImageSearchResponse, RetrieveRequest, RetrieveResponse, SearchResponse
from shared.schemas.search import MAX_K, RankingName, SearchOptions, SearchRequest
from shared.schemas.text import ClassifyRequest, ClassifyResponse
from shared.time_limit import deadline_of


def retrieval_router(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["retrieval"])

    @router.post(
        "/retrieve", summary="Impression in, labels and similar chest X-rays out", responses=body_errors(Conflict)
    )
    async def retrieve_images(
        body: Annotated[RetrieveRequest, Body(openapi_examples=RETRIEVE_EXAMPLES)], request: Request
    ) -> RetrieveResponse:
        """Reads the impression, weighs the labels that it states as present (1) or uncertain (`uncertain_weight`),
        and ranks the images of the index by their likeness to that query.

        An impression that states no finding at all is answered with its labels, no hits, and the reason.
        """
        return await retrieve(body, parts.classifier, parts.index, parts.links(request), deadline_of(request))

    @router.post("/classify", summary="Impressions in, labels out", responses=body_errors())
    async def classify(
        body: Annotated[ClassifyRequest, Body(openapi_examples=CLASSIFY_EXAMPLES)], request: Request
    ) -> ClassifyResponse:
        """The 14 labels of each impression: probability, state and threshold, with the words that say so on request."""
        return await parts.classifier.classify(body, deadline_of(request))

    @router.post("/search", summary="Labels in, similar chest X-rays out", responses=body_errors(Conflict))
    async def search(
        body: Annotated[SearchRequest, Body(openapi_examples=SEARCH_EXAMPLES)], request: Request
    ) -> SearchResponse:
        """Ranks the images of the index by a query of label names, or of a weight for each label."""
        timings = Timings()
        with timings.measure("search"):
            found = await parts.index.search(body, deadline_of(request))
        return SearchResponse(**gateway_answer([found], timings), result=ranking(found, parts.links(request)))

    @router.post(
        "/search/by-image",
        summary="An image in, its labels and similar chest X-rays out",
        responses=body_errors(Conflict, UnsupportedMediaType, NotAChestRadiograph),
        openapi_extra=image_body(
            "options", SearchOptions, "Options of the search, filters among them; in place of the query parameters."
        ),
    )
    async def search_by_image(
        request: Request,
        *,
        k: Annotated[int | None, Query(ge=1, le=MAX_K, description="How many images to return at most.")] = None,
        ranking_name: Annotated[
            RankingName | None, Query(alias="ranking", description="The measure of similarity.")
        ] = None,
        binarize: Annotated[bool | None, Query(description="Compare 0/1 labels, not probabilities.")] = None,
        min_score: Annotated[float | None, Query(description="Leave out images that score below this.")] = None,
        accept_any: AcceptAny = False,
    ) -> ImageSearchResponse:
        """The image is read, labelled and compared as any image of the index; it is not kept.

        curl -X POST 'localhost:8000/v1/search/by-image?k=3' -H 'Content-Type: image/png' --data-binary @chest.png
        """
        options: dict[str, Any] = {"k": k, "ranking": ranking_name, "binarize": binarize, "min_score": min_score}
        options["accept_any"] = accept_any or None
        given = {name: value for name, value in options.items() if value is not None}
        timings = Timings()
        with timings.measure("search"):
            found = await parts.index.search_by_image(Upload(request), given, deadline_of(request))
        return ImageSearchResponse(
            **gateway_answer([found], timings),
            result=ranking(found, parts.links(request)),
            probabilities=found.probabilities,
            chest_score=found.chest_score,
        )

    return router
