"""What the system is made of: its index and its models."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from starlette.requests import Request

from gateway.openapi import service_errors
from gateway.parts import Parts
from gateway.upstream.concurrency import each
from shared.schemas.retrieve import InstalledModels
from shared.schemas.system import IndexDescription
from shared.web.strict_route import strict_router
from shared.web.time_limit import deadline_of


def system_router(parts: Parts) -> APIRouter:
    router = strict_router(tags=["system"])

    @router.get("/", include_in_schema=False)
    async def front_page(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{parts.links(request).root}/docs")

    @router.get("/v1/index", summary="The state of the image index", responses=service_errors())
    async def describe_index(request: Request) -> IndexDescription:
        """Its size, the count of its changes, its engine, the encoder weights that all its vectors come from, what is
        known by reports, and what was learned from them.
        """
        return await parts.index.info(deadline_of(request))

    @router.get("/v1/models", summary="The two models that answer", responses=service_errors())
    async def describe_models(request: Request) -> InstalledModels:
        """Names, versions, weight hashes, label set, thresholds and intended use."""
        deadline = deadline_of(request)
        services = (parts.classifier, parts.index)
        text, image = await each(services, lambda service: service.model(deadline), at_once=len(services))
        return InstalledModels(text=text, image=image)

    return router
