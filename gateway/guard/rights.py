"""Which right each call takes. One that is not named here takes `admin`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

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


def need_of(method: str, template: str) -> Need:
    """HEAD is a GET without its body."""
    return NEEDS.get(("GET" if method == "HEAD" else method, template), "admin")


class Rights:
    """Finds the call of a request by the routes themselves, as the router will: two readings cannot differ."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = list(iter_route_contexts(routes))
        self._need = lru_cache(_MOST_REMEMBERED)(self._find)

    def need(self, scope: Scope) -> Need:
        return self._need(scope["method"], scope["path"], scope.get("root_path", ""))

    def _find(self, method: str, path: str, root_path: str) -> Need:
        scope = {"type": "http", "method": method, "path": path, "root_path": root_path}
        for route in self._routes:
            if route.matches(scope)[0] is Match.FULL:
                return need_of(method, route.path or "")
        return "any"  # there is nothing to be had: whoever is known is told so
