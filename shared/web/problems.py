"""Turns every error into RFC 9457 problem+json."""

import re
from collections.abc import Iterable, Mapping, Sequence
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

PROBLEM_TYPE = "application/problem+json"
MAX_LISTED = 20
_UNION_BRANCH = re.compile(r"<[a-z]+>")  # as shared.schemas names the branches of a union; no place in the request
_PLAIN_NAME = re.compile(r"\[?[A-Za-z0-9_]{1,40}\]?")

_HTTP_DETAILS = {
    400: "The request cannot be read. If it is a form, check its boundary and its parts.",
    404: "There is nothing at this path. The paths are listed at /docs.",
    405: "This path does not take this method. The methods are listed at /docs.",
}


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    problem.request_id = correlation_id.get()
    return JSONResponse(
        problem.model_dump(exclude_none=True), status_code=problem.status, headers=headers, media_type=PROBLEM_TYPE
    )


def error_response(error: ServiceError) -> JSONResponse:
    headers = None if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return problem_response(problem_of(error), headers)


def problem_of(error: ServiceError) -> Problem:
    return Problem(type=error.type, title=error.title, status=error.status, detail=error.detail, part=error.part)


def internal_error_response() -> JSONResponse:
    return error_response(ServiceError("An unexpected error. The log has its place under this request id."))


def dotted(location: Iterable[str | int]) -> str:
    """A path. A part that is no plain name came from the caller (an unknown key, say) and is not repeated."""
    return ".".join(
        part if part in LABELS or _PLAIN_NAME.fullmatch(part) else "*"
        for part in map(str, location)
        if not _UNION_BRANCH.fullmatch(part)
    )


def _invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    # Only place and message: pydantic's `input` and `ctx` would send the impression back and into logs.
    listed = [FieldError(field=dotted(each["loc"]), message=each["msg"]) for each in errors[:MAX_LISTED]]
    count = "One field is" if len(errors) == 1 else f"{len(errors):,} fields are"
    left_out = len(errors) - len(listed)
    rest = f", which lists {MAX_LISTED} of them and leaves {left_out:,} out" if left_out else ""
    problem = problem_of(InvalidInput(f"{count} not valid; see errors{rest}."))
    problem.errors = listed
    return problem


def _methods_at(request: Request) -> list[str]:
    """All that a path takes: Starlette names the methods of its first route only, and HEAD is taken where GET is."""

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": "GET" if method == "HEAD" else method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT") if takes(method)]


def install_problem_handlers(app: FastAPI) -> None:
    async def on_service_error(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ServiceError)  # noqa: S101 - Starlette dispatches by class
        return error_response(error)

    async def on_invalid_request(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return problem_response(_invalid(error.errors()))

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
