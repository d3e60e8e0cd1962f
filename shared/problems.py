"""Turns every error into RFC 9457 problem+json."""

import re
from collections.abc import Iterable
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shared.errors import InvalidInput, ServiceError
from shared.labels import LABELS
from shared.schemas.system import FieldError, Problem

MEDIA_TYPE = "application/problem+json"
_PLAIN_NAME = re.compile(r"\[?[A-Za-z0-9_]{1,40}\]?")

_HTTP_DETAILS = {
    400: "The request cannot be read. If it is a form, check its boundary and its parts.",
    404: "There is nothing at this path. The paths are listed at /docs.",
    405: "This path does not take this method. The methods are listed at /docs.",
}


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    problem.request_id = correlation_id.get()
    return JSONResponse(
        problem.model_dump(exclude_none=True), status_code=problem.status, headers=headers, media_type=MEDIA_TYPE
    )


def error_response(error: ServiceError) -> JSONResponse:
    headers = None if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    problem = Problem(type=error.type, title=error.title, status=error.status, detail=error.detail, part=error.part)
    return problem_response(problem, headers)


def internal_error_response() -> JSONResponse:
    return error_response(ServiceError("An unexpected error. The log has its place under this request id."))


def documented(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can end in these errors. Those of one status are told apart by `type`."""
    titles: dict[int, list[str]] = {}
    for error in errors:
        titles.setdefault(error.status, []).append(error.title)
    return {
        status: {
            "description": "; or: ".join(dict.fromkeys(shared)),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, shared in titles.items()
    }


def _path(location: Iterable[str | int]) -> str:
    """A dotted path. A part that is no plain name came from the caller (an unknown key, say) and is not repeated."""
    return ".".join(part if part in LABELS or _PLAIN_NAME.fullmatch(part) else "*" for part in map(str, location))


def _methods_at(request: Request) -> list[str]:
    """All that a path takes: Starlette names the methods of its first route only."""

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT") if takes(method)]


def install_problem_handlers(app: FastAPI) -> None:
    async def on_service_error(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ServiceError)  # noqa: S101 - Starlette dispatches by class
        return error_response(error)

    async def on_invalid_request(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        # Only place and message: pydantic's `input` and `ctx` would send the impression back and into logs.
        fields = [FieldError(field=_path(e["loc"]), message=e["msg"]) for e in error.errors()]
        count = "One field is" if len(fields) == 1 else f"{len(fields)} fields are"
        return problem_response(
            Problem(
                type=InvalidInput.type,
                title=InvalidInput.title,
                status=InvalidInput.status,
                detail=f"{count} not valid; see errors.",
                errors=fields,
            )
        )

    async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        status = error.status_code
        detail = _HTTP_DETAILS.get(status, "The request was refused.")
        problem = Problem(
            type="about:blank",
            title=str(error.detail) if status != 400 else "Bad Request",
            status=status,
            detail=detail,
        )
        headers = dict(error.headers or {})
        if status == 405:
            headers["Allow"] = ", ".join(_methods_at(request))
        return problem_response(problem, headers)

    app.add_exception_handler(ServiceError, on_service_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
