"""Records traces with OpenTelemetry's SDK, and sends them to a collector from a thread of its own.

Sampling, batches, the collector's address and its time limits are set by OpenTelemetry's own variables. The
instrumentations of web frameworks, FastAPI's own too, are not used: they record addresses, which hold identifiers. What
leaves the house is what this module writes down: names of parts, routes, methods, statuses, counts and times.
"""

import threading
from collections.abc import Mapping
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from shared.telemetry import OK, Kind

_SEND_THE_REST_S = 2.0
_KINDS = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}


def open_tracer(service: str, environment: Mapping[str, str]) -> "OtelTracer":
    """`environment`: what the SDK itself reads its variables from."""
    return OtelTracer(environment.get("OTEL_SERVICE_NAME") or service, BatchSpanProcessor(OTLPSpanExporter()))


class OtelTracer:
    def __init__(self, service: str, processor: SpanProcessor) -> None:
        about = {
            SERVICE_NAME: service,
            "service.namespace": "chexretriever",
            "service.version": version("chexretriever"),
        }
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("chexretriever")

    def begin(self, traceparent: str | None) -> "_Recorded":
        context = Context()
        if traceparent is not None:
            _, trace_id, span_id, flags = (int(part, 16) for part in traceparent.split("-"))
            caller = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
            context = set_span_in_context(NonRecordingSpan(caller), context)
        return _Recorded(self._tracer, self._tracer.start_span("request", context, SpanKind.SERVER))

    def close(self) -> None:
        """Sends what is left, if the collector takes it soon: the end of a service waits for no other."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(_SEND_THE_REST_S)


class _Recorded:
    """Where its trace is not sampled, all below it is the same span, which records nothing."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        where = span.get_span_context()
        self.traceparent = f"00-{where.trace_id:032x}-{where.span_id:016x}-{where.trace_flags:02x}"

    def begin(self, name: str, kind: Kind = "internal") -> "_Recorded":
        if not self._span.is_recording():
            return self
        return _Recorded(self._tracer, self._tracer.start_span(name, self._context(), _KINDS[kind]))

    def add(self, name: str, began_ns: int, ended_ns: int, **counts: int) -> None:
        if self._span.get_span_context().trace_flags.sampled:
            span = self._tracer.start_span(name, self._context(), start_time=began_ns, attributes=counts)
            span.end(ended_ns)

    def answered(self, method: str, route: str | None, status: int) -> None:
        self._span.update_name(f"{method} {route}" if route else method)
        self._span.set_attribute("http.request.method", method)
        self._span.set_attribute("http.response.status_code", status)
        if route is not None:
            self._span.set_attribute("http.route", route)

    def end(self, outcome: str) -> None:
        if outcome != OK:
            self._span.set_attribute("error.type", outcome)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

    def _context(self) -> Context:
        return set_span_in_context(self._span, Context())
