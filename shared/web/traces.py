"""Traces for an OpenTelemetry collector: off, and nothing of it imported, unless its variables ask for them."""

import importlib.util
import sys
from collections.abc import Mapping

from fastapi import FastAPI

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"


def trace(app: FastAPI, service: str, environment: Mapping[str, str]) -> None:
    """Gives the app a tracer where a collector is named; says on stderr where that cannot be.

    A service that cannot be watched still serves.
    """
    endpoint = next((name for name in _ENDPOINTS if environment.get(name)), None)
    if endpoint is None or environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() != "otlp":
        return
    protocol = next((name for name in _PROTOCOLS if environment.get(name)), None)
    if protocol is not None and environment[protocol].strip() != _PROTOCOL:
        sys.stderr.write(
            f"{service}: {protocol} must be {_PROTOCOL}, which is how traces are sent. None are recorded.\n"
        )
    elif not _is_installed():
        sys.stderr.write(
            f"{service}: {endpoint} is set, and the extra that sends traces is not installed: pip install '.[traces]'. "
            "None are recorded.\n"
        )
    else:
        from shared.web.otlp import open_tracer  # noqa: PLC0415 - of the extra

        app.state.tracer = open_tracer(service, environment)


def _is_installed() -> bool:
    try:
        return all(map(importlib.util.find_spec, ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")))
    except ModuleNotFoundError:
        return False
