"""The plumbing of every app: request ids, problems, logs, health, metrics, an OpenAPI page without outside assets."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.types import ASGIApp, Scope

from shared.errors import Unavailable
from shared.schemas.system import Check, Health, Readiness
from shared.settings import MAX_JSON_BYTES
from shared.web.body_limit import BodyLimit
from shared.web.documented import describe_problems
from shared.web.head import HeadAsGet
from shared.web.metrics import RequestMetrics, new_registry
from shared.web.problems import install_problem_handlers
from shared.web.request_log import RequestLog
from shared.web.strict_route import StrictRoute
from shared.web.telemetry import Telemetry, closing_tracer
from shared.web.time_limit import TimeLimit

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
ReadinessProbe = Callable[[], Awaitable[Sequence[Check]]]

# It exports paths, query strings and the messages of errors, wherever the environment gives it a collector.
_NO_TELEMETRY_OF_FASTAPI: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def _valid_request_id(value: str) -> bool:
    return _REQUEST_ID.fullmatch(value) is not None


def new_app(
    *,
    title: str,
    description: str,
    readiness: ReadinessProbe,
    lifespan: Lifespan,
    max_body_bytes: int,
    max_json_bytes: int = MAX_JSON_BYTES,
    time_limit_s: Callable[[Scope], float],
    inherits_deadline: bool = True,
    admission: Callable[..., ASGIApp] | None = None,
    guard: Callable[..., ASGIApp] | None = None,
    tags: list[dict[str, str]] | None = None,
) -> FastAPI:
    """An app with nothing but plumbing; the caller adds its routes. `app.state.metrics` is its Prometheus registry.

    `time_limit_s` and `inherits_deadline` are those of TimeLimit; `admission` is a middleware that decides which
    requests come in; it is given the registry, as `registry`. So is `guard`, which decides before it who may.
    """

    @asynccontextmanager
    async def lifespan_and_traces(app: FastAPI) -> AsyncIterator[None]:
        async with closing_tracer(app), lifespan(app):
            yield

    app = FastAPIOffline(
        title=title,
        description=description,
        version=version("chexretriever"),
        lifespan=lifespan_and_traces,
        redoc_url=None,
        openapi_tags=tags,
        separate_input_output_schemas=False,
        telemetry=_NO_TELEMETRY_OF_FASTAPI,
        redirect_slashes=False,  # to an address made of the Host header, which anyone may have written
    )
    app.router.route_class = StrictRoute
    app.state.metrics = new_registry()
    install_problem_handlers(app)
    _add_probes(app, readiness, app.state.metrics)

    # The last one added is the outermost: the request id is there for all the others.
    app.add_middleware(HeadAsGet)
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes, max_json_bytes=max_json_bytes)
    app.add_middleware(TimeLimit, limit_s=time_limit_s, inherited=inherits_deadline)
    app.add_middleware(RequestLog, metrics=RequestMetrics(app.state.metrics))
    if admission is not None:
        app.add_middleware(admission, registry=app.state.metrics)
    if guard is not None:
        app.add_middleware(guard, registry=app.state.metrics)
    app.add_middleware(Telemetry, registry=app.state.metrics)
    app.add_middleware(CorrelationIdMiddleware, validator=_valid_request_id)
    describe_problems(app)
    return app


def _add_probes(app: FastAPI, readiness: ReadinessProbe, registry: CollectorRegistry) -> None:
    @app.get("/metrics", tags=["system"], summary="Metrics for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        found = await asyncio.to_thread(generate_latest, registry)  # some of it is counted, and nobody waits for that
        return Response(found, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.get("/healthz", tags=["system"], summary="Is the process alive?")
    async def healthz() -> Health:
        return Health()

    @app.get(
        "/readyz",
        tags=["system"],
        summary="Can requests be served?",
        responses={503: {"description": "Not ready; the checks name the part that is not.", "model": Readiness}},
    )
    async def readyz(response: Response) -> Readiness:
        found = Readiness.of(list(await readiness()))
        if found.status != "ready":
            response.status_code = Unavailable.status
            response.headers["Retry-After"] = "2"
        return found
