"""A small app behind the real server, over real sockets."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request

from shared.web.app import new_app
from shared.web.connections import ConnectionLimits, GuardedProtocol
from shared.web.serve import _listen

Serve = Callable[..., int]


@asynccontextmanager
async def no_lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


async def nothing_to_check() -> list:
    return []


def bare_app(*, max_body_bytes: int = 1000, time_limit_s: float = 10, **more: Any) -> FastAPI:
    """The plumbing alone; a test adds its routes."""
    return new_app(
        title="Test",
        description="",
        readiness=nothing_to_check,
        lifespan=no_lifespan,
        max_body_bytes=max_body_bytes,
        time_limit_s=lambda _scope: time_limit_s,
        **more,
    )


def app_that_waits(ended: list[str], time_limit_s: float = 10) -> FastAPI:
    """`ended` hears how its work ended: `done` or `cancelled`."""
    app = bare_app(max_body_bytes=2**20, time_limit_s=time_limit_s)

    @app.get("/work")
    async def work(seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        ended.append("done")
        return "done"

    @app.get("/long")
    async def long_answer() -> str:
        return "x" * 50_000_000

    @app.post("/count")
    async def count(request: Request) -> int:
        return len(await request.body())

    return app


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves an app with such limits until the test is over; gives the port."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: FastAPI, **limits: float) -> int:
        protocol = type("Limited", (GuardedProtocol,), {"limits": ConnectionLimits(**limits)})
        listener = _listen("127.0.0.1", 0, "test", "PORT")
        server = uvicorn.Server(
            uvicorn.Config(
                app, http=protocol, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.005)
        return listener.getsockname()[1]

    yield start
    for server, thread in running:
        server.should_exit = server.force_exit = True
        thread.join(10)
