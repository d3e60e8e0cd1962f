"""What every process tells Prometheus: itself, and its requests. Bounded, whatever is sent."""

import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector
from starlette.types import Scope

from shared.schemas.system import ModelInfo

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def new_registry() -> CollectorRegistry:
    """One a process, with what is known of any."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = Info("chex_build", "The version that runs, and of which Python.", registry=registry)
    build.info({"version": version("chexretriever"), "python": platform.python_version()})
    return registry


def tell_model(registry: CollectorRegistry, model: ModelInfo) -> None:
    told = Info("chex_model", "The model that answers, and the SHA-256 of its weights.", registry=registry)
    told.info(model.model_dump(include=set(ModelInfo.model_fields)))


class RequestMetrics:
    """Counts by route template, method and class of status.

    What no route takes is counted as one: series by the paths and methods that callers make up would fill the memory.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter("http_requests", "Requests answered.", ["handler", "method", "status"], registry=registry)
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Seconds from a request's first byte until its answer was sent.",
            ["handler", "method"],
            buckets=BUCKETS_S,
            registry=registry,
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        operation = _operation(scope)
        self._count.labels(*operation, f"{status // 100}xx").inc()
        self._duration.labels(*operation).observe(seconds)


def _operation(scope: Scope) -> tuple[str, str]:
    route, method = scope.get("route"), scope["method"]
    if method in (getattr(route, "methods", None) or ()):
        return getattr(route, "path", "none"), method
    return "none", "other"
