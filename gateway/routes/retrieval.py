"""From words to labels to images: the calls that answer a question."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request

from gateway.answers import gateway_answer, ranking
from gateway.guard.audit.notes import note
from gateway.openapi import CLASSIFY_EXAMPLES, RETRIEVE_EXAMPLES, service_errors
from gateway.parts import Parts
from gateway.retrieve import retrieve
from gateway.routes.uploads import upload_of
from gateway.timings import Timings
from shared.errors import BurnedInText, Conflict, NotAChestRadiograph
from shared.schemas.retrieve import (
    GatewayResponse,
    Hit,
    ImageSearchResponse,
    RetrieveRequest,
    RetrieveResponse,
    SearchResponse,
)
from shared.schemas.search import ImageSearchParameters, SearchRequest
from shared.schemas.text import ClassifyRequest, ClassifyResponse
from shared.web.openapi import OPTIONS_PART, SEARCH_EXAMPLES, image_body
from shared.web.strict_route import strict_router
from shared.web.time_limit import deadline_of


def retrieval_router(parts: Parts) -> APIRouter:
    router = strict_router(prefix="/v1", tags=["retrieval"])

    @router.post(
        "/retrieve", summary="Impression in, labels and similar chest X-rays out", responses=service_errors(Conflict)
    )
    async def retrieve_images(
        body: Annotated[RetrieveRequest, Body(openapi_examples=RETRIEVE_EXAMPLES)], request: Request
    ) -> RetrieveResponse:
        """Reads the impression, weighs the labels that it states as present (1) or uncertain (`uncertain_weight`),
        and ranks the images of the index by their likeness to that query.

        An impression that states no finding at all is answered with its labels, no hits, and the reason. One that is
        not in English gets a warning; with `strict_language` the answer is 422.
        """
        answer = await retrieve(body, parts.classifier, parts.index, parts.links(request), deadline_of(request))
        _note(request, answer, [hit for result in answer.results for hit in result.hits])
        return answer

    @router.post("/classify", summary="Impressions in, labels out", responses=service_errors())
    async def classify(
        body: Annotated[ClassifyRequest, Body(openapi_examples=CLASSIFY_EXAMPLES)], request: Request
    ) -> ClassifyResponse:
        """The 14 labels of each impression: state, the probability of each state and threshold, with the words that say
        so on request; and warnings, where an impression is not in English or states nothing.
        """
        answer = await parts.classifier.classify(body, deadline_of(request))
        note(request, models={"text": answer.model.weights_sha256})
        return answer

    @router.post("/search", summary="Labels in, similar chest X-rays out", responses=service_errors(Conflict))
    async def search(
        body: Annotated[SearchRequest, Body(openapi_examples=SEARCH_EXAMPLES)], request: Request
    ) -> SearchResponse:
        """Ranks the images of the index by a query of label names, or of a weight for each label."""
        timings = Timings()
        with timings.measure("search"):
            found = await parts.index.search(body, deadline_of(request))
        answer = SearchResponse(**gateway_answer([found], timings), result=ranking(found, parts.links(request)))
        _note(request, answer, answer.result.hits)
        return answer

    @router.post(
        "/search/by-image",
        summary="An image in, its labels and similar chest X-rays out",
        responses=service_errors(BurnedInText, Conflict, NotAChestRadiograph),
        openapi_extra=image_body(OPTIONS_PART),
    )
    async def search_by_image(
        request: Request, parameters: Annotated[ImageSearchParameters, Query()]
    ) -> ImageSearchResponse:
        """The image is read, labelled and compared as any image of the index; it is not kept.

        curl -X POST 'localhost:8000/v1/search/by-image?k=3' -H 'Content-Type: image/png' --data-binary @chest.png
        """
        given = parameters.model_dump(exclude_unset=True)
        timings = Timings()
        with timings.measure("search"):
            found = await parts.index.search_by_image(upload_of(request), given, deadline_of(request))
        answer = ImageSearchResponse(
            **gateway_answer([found], timings),
            result=ranking(found, parts.links(request)),
            probabilities=found.probabilities,
            chest_score=found.chest_score,
            looks_turned=found.looks_turned,
        )
        _note(request, answer, answer.result.hits)
        return answer

    return router


def _note(request: Request, answer: GatewayResponse, shown: Sequence[Hit]) -> None:
    found = {"text": answer.models.text, "image": answer.models.image}
    models = {name: model.weights_sha256 for name, model in found.items() if model is not None}
    note(request, shown=shown, models=models, generation=answer.index.generation)
