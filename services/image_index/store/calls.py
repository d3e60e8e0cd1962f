"""Calls of the store from the event loop: in threads of their own, within a deadline, under the request's id."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from shared.errors import DeadlineExceeded

_THREADS = 32  # so many writers may share one commit

P = ParamSpec("P")
T = TypeVar("T")


class StoreCalls:
    """Each raises DeadlineExceeded after `timeout_s`; what it began is finished nevertheless."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")

    async def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        here = copy_context()  # the request's id, for the log
        async with deadline(self._timeout_s):
            return await asyncio.wrap_future(self._threads.submit(here.run, partial(call, *args, **kwargs)))

    def close(self) -> None:
        """When it returns, every commit that had begun is finished."""
        self._threads.shutdown()


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Raises DeadlineExceeded where the block takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DeadlineExceeded(f"Not done within {seconds:.3g} s.", part="image-index") from None
