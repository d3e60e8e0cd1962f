"""Which right each call takes. One that is not named here takes `admin`."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from gateway.guard.caller import Right

Need = Right | Literal["open", "any"]  # open: to everyone; any: to whoever is known, whatever their rights

NEEDS: dict[tuple[str, str], Need] = {
    ("GET", "/"): "open",
    ("GET", "/docs"): "open",
    ("GET", "/docs/oauth2-redirect"): "open",
    ("GET", "/openapi.json"): "open",
    ("GET", "/static-offline-docs"): "open",
    ("GET", "/healthz"): "open",
    ("GET", "/readyz"): "open",
    ("GET", "/metrics"): "any",
    ("GET", "/v1/index"): "any",
    ("GET", "/v1/models"): "any",
    ("POST", "/v1/retrieve"): "retrieve",
    ("POST", "/v1/classify"): "retrieve",
    ("POST", "/v1/search"): "retrieve",
    ("POST", "/v1/search/by-image"): "retrieve",
    ("GET", "/v1/images"): "retrieve",
    ("GET", "/v1/images/{image_id}"): "retrieve",
    ("GET", "/v1/images/{image_id}/thumbnail"): "retrieve",
    ("GET", "/v1/images/{image_id}/heatmap"): "retrieve",
    ("GET", "/v1/images/{image_id}/report"): "retrieve",
    ("GET", "/v1/studies/{study_uid}"): "retrieve",
    ("GET", "/v1/studies/{study_uid}/report"): "retrieve",
    ("POST", "/v1/images"): "ingest",
    ("PUT", "/v1/images/{image_id}"): "ingest",
    ("PUT", "/v1/images/{image_id}/report"): "ingest",
    ("PUT", "/v1/studies/{study_uid}/report"): "ingest",
    ("POST", "/v1/reports"): "ingest",
    ("DELETE", "/v1/images/{image_id}"): "delete",
    ("DELETE", "/v1/images/{image_id}/report"): "delete",
    ("DELETE", "/v1/studies/{study_uid}/report"): "delete",
    ("POST", "/v1/reports/delete"): "delete",
    ("DELETE", "/v1/studies/{study_uid}"): "delete",
    ("DELETE", "/v1/patients/{patient_key}"): "delete",
    ("POST", "/v1/patients/by-id/delete"): "delete",
}
_MOST_REMEMBERED = 1024
_STATE = "called"


def need_of(method: str, template: str) -> Need:
    """HEAD is a GET without its body."""
    return NEEDS.get(("GET" if method == "HEAD" else method, template), "admin")


class Called(NamedTuple):
    """What a request asks for, before it is looked at any further. `template`: of the path, None where there is no such
    call; `params`: what the path names.
    """

    need: Need
    template: str | None
    params: Mapping[str, Any]


def called_of(scope: Scope) -> Called:
    """What Identity found."""
    called: Called = scope["state"][_STATE]
    return called


def set_called(scope: Scope, called: Called) -> None:
    scope.setdefault("state", {})[_STATE] = called


class Rights:
    """Finds the call of a request by the routes themselves, as the router will: two readings cannot differ."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = list(iter_route_contexts(routes))
        self._called = lru_cache(_MOST_REMEMBERED)(self._find)

    def called(self, scope: Scope) -> Called:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        return self._called(method, scope["path"], scope.get("root_path", ""))

    def _find(self, method: str, path: str, root_path: str) -> Called:
        scope = {"type": "http", "method": method, "path": path, "root_path": root_path}
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                template = route.path or ""
                return Called(need_of(method, template), template, found.get("path_params", {}))
        return Called("any", None, {})  # there is nothing to be had: whoever is known is told so
