"""Structured JSON logs, one line an event, on stdout; no event carries a body, a query or a patient identifier."""

import logging
import sys
import traceback
from typing import Any, TextIO

import structlog
from asgi_correlation_id import correlation_id
from structlog.typing import EventDict, WrappedLogger

from shared.telemetry import trace_id

LOGGED_FRAMES = 8


def _request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request_id, trace = correlation_id.get(), trace_id()
    if request_id:
        event["request_id"] = request_id
    if trace:
        event["trace_id"] = trace
    return event


def described(error: BaseException) -> dict[str, Any]:
    """What may be logged of an error: its type and places in the code. Its message can quote the input, and the
    variables around it hold whole requests.
    """
    places = traceback.extract_tb(error.__traceback__)[-LOGGED_FRAMES:]
    return {
        "error": type(error).__name__,
        "frames": [f"{place.filename}:{place.lineno} {place.name}" for place in places],
    }


def _error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """In the place of the traceback that a library or `log.exception` asks for."""
    asked = event.pop("exc_info", None)
    error = asked[1] if isinstance(asked, tuple) else asked if isinstance(asked, BaseException) else sys.exception()
    if asked and error is not None:
        event.update(described(error))
    return event


def configure_logging(service: str, level: str, stream: TextIO = sys.stdout) -> None:
    """Writes structlog's events, and the standard library's records (uvicorn's, for one) in the same form."""
    chain: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _request,
        lambda _logger, _method, event: {"service": service, **event},
    ]
    written: list[structlog.typing.Processor] = [
        _error,
        structlog.processors.JSONRenderer(),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=chain,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for library in ("httpx", "httpcore", "PIL"):  # their lines hold whole URLs, and what is written in a picture's file
        logging.getLogger(library).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*chain, *written],
        logger_factory=structlog.WriteLoggerFactory(stream),  # straight to the stream: there is one line a request
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
