"""A route that takes what its OpenAPI document says, and answers for everything else."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.web.json_body import read_json


class StrictRoute(APIRoute):
    """Refuses query parameters that it does not take or that come twice, and reads a JSON body itself.

    FastAPI is handed the validated model in place of parsed JSON: it documents the body as ever, and checks no more
    than that the model is one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        taken = _query_names(self)
        body = self.body_field
        model = None if body is None else cast("type[BaseModel]", body.field_info.annotation)

        async def handle_strictly(request: Request) -> Response:
            _check_query(request, taken)
            if model is not None:
                request = _ReadRequest(request, *await read_json(request, model))
            return await handle(request)

        return handle_strictly


def strict_router(*, tags: list[str], prefix: str = "", route_class: type[StrictRoute] = StrictRoute) -> APIRouter:
    return APIRouter(prefix=prefix, tags=[*tags], route_class=route_class)


class _ReadRequest(Request):
    """A request whose JSON has become a model."""

    def __init__(self, request: Request, body: bytes, model: BaseModel) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._model = model

    async def json(self) -> BaseModel:
        return self._model


def _query_names(route: APIRoute) -> list[str]:
    names: list[str] = []
    for field in route.dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            names += model.model_fields
        else:
            names.append(field.alias)
    return names


def _check_query(request: Request, taken: Sequence[str]) -> None:
    """Raises RequestValidationError."""
    if not request.scope["query_string"]:
        return
    sent = [name for name, _ in request.query_params.multi_items()]
    takes = f"this call takes the query parameters {', '.join(taken)}" if taken else "this call takes none"
    problems = {name: f"Unknown query parameter; {takes}." for name in sent if name not in taken}
    problems |= {name: "Given more than once." for name in taken if sent.count(name) > 1}
    if problems:
        raise RequestValidationError([{"loc": ("query", name), "msg": said} for name, said in problems.items()])
