"""Whoever waits for a line hears of it, and those who wait together share one sync."""

import asyncio
import threading

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.guard.audit.failures import NotWritten
from gateway.guard.audit.writer import Writer
from tests.gateway.guard.audit.audits import EVENTS, journal_in, lines_of, verified


class Journal:
    """Of a disk that does as it is told."""

    def __init__(self):
        self.groups = []
        self.fails = []
        self.open = threading.Event()
        self.open.set()
        self.closed = False

    def append(self, events):
        self.open.wait(5)
        if self.fails:
            raise self.fails.pop(0)
        self.groups.append(list(events))

    def sync_head(self):
        pass

    def restore(self):
        if self.fails:
            raise self.fails.pop(0)

    def close(self):
        self.closed = True


@pytest.fixture
def journal():
    return Journal()


@pytest.fixture
def writer(journal):
    writer = Writer(journal)
    yield writer
    journal.open.set()
    writer.close()


async def test_those_who_come_while_a_group_is_written_share_the_next_one(writer, journal):
    journal.open.clear()
    first = asyncio.create_task(writer.write(EVENTS[0]))
    await asyncio.sleep(0.05)
    others = [asyncio.create_task(writer.write(event)) for event in EVENTS[1:30]]
    await asyncio.sleep(0.05)
    assert not first.done()
    journal.open.set()
    await asyncio.gather(first, *others)
    assert journal.groups == [EVENTS[:1], EVENTS[1:30]]


async def test_a_group_that_fails_is_told_to_all_who_wait_and_the_next_is_tried_after_a_while(writer, journal):
    journal.fails = [OSError(28, "No space left on device")]
    with pytest.raises(NotWritten):
        await writer.write(EVENTS[0])
    assert writer.broken
    assert not await writer.usable()  # at once: the disk was asked a moment ago
    await asyncio.sleep(0.25)
    assert await writer.usable()
    await writer.write(EVENTS[1])
    assert journal.groups == [EVENTS[1:2]]


async def test_a_line_is_written_though_nobody_waits_for_it_any_longer(writer, journal):
    journal.open.clear()
    task = asyncio.create_task(writer.write(EVENTS[0]))
    await asyncio.sleep(0.05)
    task.cancel()
    journal.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await writer.write(EVENTS[1])
    assert [event for group in journal.groups for event in group] == EVENTS[:2]


async def test_what_waits_at_the_end_is_written_and_what_comes_later_refused(journal):
    writer = Writer(journal)
    waiting = [writer.submit(event) for event in EVENTS[:5]]
    writer.close()
    assert all(done.done() and done.exception() is None for done in waiting)
    assert sum(map(len, journal.groups)) == 5
    assert journal.closed
    with pytest.raises(NotWritten):
        await writer.write(EVENTS[5])


async def test_the_metrics_hold_count_and_seal_of_the_head(tmp_path):
    journal = journal_in(tmp_path)
    writer, registry = Writer(journal), CollectorRegistry()
    writer.register(registry)
    await asyncio.gather(*(writer.write(event) for event in EVENTS[:7]))
    metrics = generate_latest(registry).decode()
    seal = next(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("chex_audit_head{"))
    writer.close()
    chain = journal.chain.name
    assert f'chex_audit_lines{{chain="{chain}"}} 7.0' in metrics
    assert "chex_audit_writable 1.0" in metrics
    assert verified(tmp_path, (7, f"{int(seal):012x}")).head.count == 7
    assert sorted(line["number"] for line in lines_of(tmp_path)) == list(range(7))
