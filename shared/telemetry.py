"""How long the parts of a request take: for the metrics of its process, and for the trace that it belongs to.

What is known of the request at work travels in a context variable, as its id does: whoever does a part of the work says
so with `measure`, and is handed nothing. Outside of a request that costs and does nothing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from prometheus_client import CollectorRegistry, Histogram

TRACEPARENT = "traceparent"  # https://www.w3.org/TR/trace-context/
OK = "ok"
_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

Kind = Literal["internal", "client"]


class Span(Protocol):
    """A place in a trace. No name or outcome may hold what a caller sent: they leave the house."""

    traceparent: str

    def begin(self, name: str, kind: Kind = "internal") -> Self:
        """A span below this one; whoever began it ends it."""
        ...

    def end(self, outcome: str) -> None:
        """`outcome`: OK, or the class of an error."""
        ...

    def add(self, name: str, began_ns: int, ended_ns: int, **counts: int) -> None:
        """A span below this one that is over. Thread-safe. In nanoseconds since 1970."""
        ...


class PassedOn:
    """A caller's place in its trace where nothing is recorded here: handed on as it came."""

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def begin(self, _name: str, _kind: Kind = "internal") -> Self:
        return self

    def end(self, outcome: str) -> None: ...

    def add(self, name: str, began_ns: int, ended_ns: int, **counts: int) -> None: ...


@dataclass(frozen=True)
class Observed:
    """What is known of the request at work. No `span`: it belongs to no trace."""

    parts: Histogram
    span: Span | None


_observed: ContextVar[Observed | None] = ContextVar("observed", default=None)


def part_times(registry: CollectorRegistry) -> Histogram:
    return Histogram(
        "chex_part_duration_seconds",
        "Seconds that a part of a request took, by how it ended: ok, or the class of an error.",
        ["part", "outcome"],
        buckets=_BUCKETS_S,
        registry=registry,
    )


@contextmanager
def observing(parts: Histogram, span: Span | None) -> Iterator[None]:
    """What is done meanwhile is done for this request."""
    before = _observed.set(Observed(parts, span))
    try:
        yield
    finally:
        _observed.reset(before)


@contextmanager
def measure(part: str, span_name: str | None = None, kind: Kind = "internal") -> Iterator[None]:
    """Counts what is done meanwhile as this part of the request. `span_name`: where a trace is to tell more."""
    observed = _observed.get()
    if observed is None:
        yield
        return
    span = observed.span and observed.span.begin(span_name or part, kind)
    below = None if span is None else _observed.set(Observed(observed.parts, span))
    began = time.perf_counter()
    outcome = OK
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        observed.parts.labels(part, outcome).observe(time.perf_counter() - began)
        if span is not None and below is not None:
            _observed.reset(below)
            span.end(outcome)


def current_span() -> Span | None:
    observed = _observed.get()
    return observed.span if observed is not None else None


def trace_id() -> str | None:
    """Of the trace that the request at work belongs to: 32 hex digits."""
    span = current_span()
    return span.traceparent.split("-")[1] if span is not None else None
