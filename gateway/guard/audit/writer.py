"""Lines that wait to be written go to the disk together: while one group is being synced, the next one gathers."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue

import structlog
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.guard.audit.failures import NotWritten
from gateway.guard.audit.journal import Journal

log = structlog.get_logger("audit")

MOST_IN_A_GROUP = 256
HEAD_DIGITS = 12
"""Of the head's seal, which the metric holds: as a number they are exact in a float."""
_TRIED_AGAIN_AFTER_S = 0.2

Ticket = tuple[bytes | None, "Future[None]"]  # without an event, it asks whether there is room again


class Writer:
    """A thread of its own, which alone touches the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: SimpleQueue[Ticket | None] = SimpleQueue()
        self._tried_at = 0.0
        self._closed = False
        self.broken = False
        self.refused = 0
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def submit(self, event: bytes | None) -> "Future[None]":
        """Done when the line is on disk; raises NotWritten when it cannot be. It is written whether or not anybody
        waits.
        """
        done: Future[None] = Future()
        if self._closed:
            done.set_exception(NotWritten())
        else:
            self._waiting.put((event, done))
        return done

    async def write(self, event: bytes | None) -> None:
        """Raises NotWritten."""
        await asyncio.wrap_future(self.submit(event))

    async def usable(self) -> bool:
        """Whether lines are being written. Where the last ones could not be, it is tried again."""
        if not self.broken:
            return True
        try:
            await self.write(None)
        except NotWritten:
            return False
        return True

    def close(self) -> None:
        """What waits is written first; what comes later is not."""
        self._closed = True
        self._waiting.put(None)
        self._thread.join()
        self._journal.close()

    def register(self, registry: CollectorRegistry) -> None:
        registry.register(_AuditMetrics(self, self._journal))

    def _run(self) -> None:
        group: list[Ticket | None] = []
        while None not in group:
            group = [self._waiting.get()]
            while len(group) < MOST_IN_A_GROUP:
                try:
                    group.append(self._waiting.get_nowait())
                except Empty:
                    break
            self._settle([ticket for ticket in group if ticket is not None])

    def _settle(self, group: list[Ticket]) -> None:
        failure: Exception | None = None
        try:
            self._write([event for event, _done in group if event is not None])
        except NotWritten as error:
            failure = error
        for _event, done in group:
            if done.set_running_or_notify_cancel():
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)
        if failure is None:
            self._sync_head()

    def _sync_head(self) -> None:
        """Nobody waits for it but the next group: should the power fail before, the head counts a few lines too few."""
        try:
            self._journal.sync_head()
        except OSError as error:
            self._broke(error)

    def _write(self, events: list[bytes]) -> None:
        try:
            if self.broken:
                self._try_again()
            if events:
                self._journal.append(events)
        except NotWritten:
            raise
        except Exception as error:
            self._broke(error)
            raise NotWritten from error

    def _broke(self, error: Exception) -> None:
        self.broken, self._tried_at = True, time.monotonic()
        reason = error.strerror if isinstance(error, OSError) else None
        log.error("audit_not_written", error=type(error).__name__, reason=reason)

    def _try_again(self) -> None:
        """Not more often than a few times a second, however many ask."""
        if time.monotonic() - self._tried_at < _TRIED_AGAIN_AFTER_S:
            raise NotWritten
        self._journal.restore()
        self.broken = False
        log.warning("audit_written_again")


class _AuditMetrics(Collector):
    def __init__(self, writer: Writer, journal: Journal) -> None:
        self._writer = writer
        self._journal = journal

    def collect(self) -> Iterator[Metric]:
        """The seal of the head is a number too, so that whoever keeps metrics keeps a witness of the audit."""
        head, chain = self._journal.head, [self._journal.chain.name]
        lines = GaugeMetricFamily("chex_audit_lines", "Lines of the audit so far.", labels=["chain"])
        lines.add_metric(chain, head.count)
        seal = GaugeMetricFamily(
            "chex_audit_head", f"The first {HEAD_DIGITS} hex digits of the last line's seal.", labels=["chain"]
        )
        seal.add_metric(chain, int(head.seal[:HEAD_DIGITS], 16))
        writable = GaugeMetricFamily("chex_audit_writable", "0 while lines cannot be written.", value=1)
        if self._writer.broken:
            writable = GaugeMetricFamily("chex_audit_writable", "0 while lines cannot be written.", value=0)
        refused = CounterMetricFamily("chex_audit_refused", "Requests refused because they could not be written down.")
        refused.add_metric([], self._writer.refused)
        yield from (lines, seal, writable, refused)
