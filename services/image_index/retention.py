"""Forgets what was received too long ago, at the start and every hour. Knows no HTTP."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from services.image_index.store.calls import StoreCalls
from services.image_index.store.contract import Forgotten, ImageStore
from shared.errors import ServiceError

log = structlog.get_logger("image-index")

_EVERY_S = 3600.0
_BATCH = 100  # images and reports in one transaction: other writers wait no longer than for some tenths of a second


class Retention:
    """`after_days` None: nothing is ever forgotten. Started and stopped by the running index."""

    def __init__(self, store: ImageStore, call: StoreCalls, after_days: int | None) -> None:
        self._store = store
        self._call = call
        self._after_days = after_days
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._after_days is not None:
            self._task = asyncio.create_task(self._for_ever(timedelta(days=self._after_days)))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _for_ever(self, age: timedelta) -> None:
        while True:
            try:
                await self.forget(age)
            except ServiceError as error:
                log.warning("not_forgotten", error=type(error).__name__)  # what is left goes an hour later
            await asyncio.sleep(_EVERY_S)

    async def forget(self, age: timedelta) -> Forgotten:
        """All that was received longer ago than that, in small batches; only how many is written down."""
        images = reports = 0
        while sum(some := await self._call(self._store.forget_before, datetime.now(UTC) - age, _BATCH)):
            images, reports = images + some.images, reports + some.reports
        if images or reports:
            log.info("forgotten", images=images, reports=reports)
        return Forgotten(images, reports)
