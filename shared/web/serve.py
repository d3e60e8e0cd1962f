"""Runs an app with uvicorn, after saying clearly when its port is taken."""

import errno
import gc
import os
import resource
import socket
import sys

import uvicorn
from fastapi import FastAPI

from shared.settings import ServiceSettings
from shared.web.connections import ConnectionLimits, GuardedProtocol
from shared.web.logs import configure_logging
from shared.web.traces import trace

_NEW_OBJECTS = 10_000  # so many between two searches for cycles; Python's 700 are a request or two
_OTHER_FILES = 300  # the store, the models, connections to the services


def serve(app: FastAPI, settings: ServiceSettings, *, service: str, port: int, port_variable: str) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are finished within `settings.shutdown_grace_s`.

    Exits with status 1 and one plain sentence where the port cannot be had.
    """
    configure_logging(service, settings.log_level)
    listener = _listen(settings.host, port, service, port_variable)
    GuardedProtocol.limits = _connection_limits(settings.max_connections)
    config = uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )
    trace(app, service, os.environ)
    _collect_less_garbage()
    uvicorn.Server(config).run(sockets=[listener])


def _collect_less_garbage() -> None:
    """What was loaded until now stays: left out of the search for cycles, it costs no request anything."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


def _connection_limits(wanted: int) -> ConnectionLimits:
    """As many as wanted, or as the system lets this process have beside its other files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reserved = ConnectionLimits.reserved
    needed = wanted + reserved + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        wanted = min(wanted, max(1, soft - reserved - _OTHER_FILES))
    return ConnectionLimits(most=wanted, reserved=reserved)


def _listen(host: str, port: int, service: str, port_variable: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio turns Nagle's algorithm off (40 ms an answer) only where it reads TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"{service}: port {port} on {host} is in use. Stop what listens there, or set {port_variable}.")
        sys.exit(f"{service}: cannot listen on {host}:{port}: {error.strerror}. Check CHEX_HOST and {port_variable}.")
    return listener
