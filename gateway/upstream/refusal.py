"""A service's refusal of a request, handed on as it is: its problem was written for the caller."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from shared.schemas.system import Problem
from shared.web.problems import problem_response


class Refused(Exception):
    def __init__(self, problem: Problem, retry_after_s: int | None) -> None:
        super().__init__(problem.title)
        self.problem = problem
        self.headers = None if retry_after_s is None else {"Retry-After": str(retry_after_s)}


def install_refusal_handler(app: FastAPI) -> None:
    async def on_refused(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)  # noqa: S101 - Starlette dispatches by class
        return problem_response(error.problem, error.headers)

    app.add_exception_handler(Refused, on_refused)
