"""The gateway: one port, all policy, no models. Routes are in `gateway.routes`; here they are put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import HttpUrl
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Scope

from gateway.guard.admission import Admission, lane_of, make_lanes
from gateway.guard.document import describe_rights
from gateway.guard.guard import Guard
from gateway.guard.idempotency.once import Once
from gateway.openapi import TAGS
from gateway.parts import Parts
from gateway.routes.accession_reports import accession_reports_router
from gateway.routes.images import images_router
from gateway.routes.reports import reports_router
from gateway.routes.retrieval import retrieval_router
from gateway.routes.studies import studies_router
from gateway.routes.system import system_router
from gateway.settings import GatewaySettings
from gateway.upstream.http import Http, open_http
from gateway.upstream.refusal import Refused
from gateway.upstream.services import ImageIndexClient, TextClassifierClient
from shared.schemas.system import Check
from shared.web.app import new_app
from shared.web.problems import problem_response

DESCRIPTION = """The impression of a radiology report goes in; the 14 CheXpert labels and the most similar chest X-rays
come out. Errors are RFC 9457 problems that carry the request's id and name the part that failed; 429 and 503 say when
to try again, and nothing else is worth sending twice. For research: not a medical device."""

_CORS: Any = {
    "allow_methods": ["GET", "HEAD", "POST", "PUT", "DELETE"],
    "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-API-Key", "X-Request-ID"],
    "expose_headers": ["ETag", "Idempotency-Replayed", "Location", "Retry-After", "WWW-Authenticate", "X-Request-ID"],
}


def create_app(
    settings: GatewaySettings,
    classifier: TextClassifierClient | None = None,
    index: ImageIndexClient | None = None,
) -> FastAPI:
    """Calls the services at the settings' addresses, or through the clients it is given.

    What the gateway itself keeps is opened here, and closed when the lifespan ends. Raises as Guard does.
    """
    guard = Guard(settings)
    token = settings.token()
    connections = AsyncExitStack()

    def connect(url: HttpUrl) -> Http:
        http = open_http(str(url), token)
        connections.push_async_callback(http.aclose)
        return http

    parts = Parts(
        settings=settings,
        classifier=classifier
        or TextClassifierClient(connect(settings.text_url), timeout_s=settings.classify_timeout_s),
        index=index
        or ImageIndexClient(
            connect(settings.index_url),
            timeout_s=settings.search_timeout_s,
            upload_timeout_s=settings.upload_timeout_s,
        ),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with connections, guard.open():
            yield

    async def readiness() -> list[Check]:
        services = (parts.classifier, parts.index)
        found = await asyncio.gather(*(service.readiness(settings.readiness_timeout_s) for service in services))
        return [*found, await guard.audit.check()]

    lanes = make_lanes(settings.max_at_work, settings.max_waiting, settings.max_uploads)

    def time_limit_s(scope: Scope) -> float:
        limits = {"uploads": settings.upload_timeout_s, "long_questions": settings.long_request_timeout_s}
        return limits.get(lane_of(scope) or "", settings.request_timeout_s)

    app = new_app(
        title="CheXRetriever",
        description=DESCRIPTION,
        readiness=readiness,
        lifespan=lifespan,
        max_body_bytes=settings.max_upload_bytes,
        time_limit_s=time_limit_s,
        inherits_deadline=False,
        admission=partial(Admission, lanes=lanes),
        guard=guard.middleware,
        max_json_bytes=settings.max_json_bytes,
        tags=TAGS,
    )
    app.root_path = settings.root_path
    app.add_exception_handler(Refused, _hand_on)
    once = Once(guard.answers)
    for router in (
        retrieval_router(parts),
        images_router(parts, once),
        studies_router(parts, once),
        reports_router(parts),
        accession_reports_router(parts, once),
        system_router(parts),
    ):
        app.include_router(router)
    if guard.door.asks:
        describe_rights(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors_origins, **_CORS
        )  # outermost: a preflight has no key
    return app


async def _hand_on(_request: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, Refused)  # noqa: S101 - Starlette dispatches by class
    return problem_response(refused.problem, refused.headers)
