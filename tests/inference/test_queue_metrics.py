import asyncio
import threading

import pytest
from prometheus_client import CollectorRegistry

from services.inference.batching import MicroBatcher
from services.inference.queue_metrics import QueueMetrics
from shared.errors import Overloaded


async def test_who_waits_who_was_refused_and_what_was_run_together_is_told_by_queue():
    registry, begun, free = CollectorRegistry(), threading.Event(), threading.Event()

    def run(items: list[str]) -> list[str]:
        begun.set()
        free.wait(10)
        return items

    def told(name: str) -> float | None:
        return registry.get_sample_value(name, {"queue": "pictures"})

    async with MicroBatcher[str, str](run, max_batch=8, max_queue=3, name="test") as batcher:
        QueueMetrics(registry, {"pictures": batcher})
        first = asyncio.create_task(batcher.submit("a", timeout_s=10))
        assert await asyncio.to_thread(begun.wait, 10)
        second = asyncio.create_task(batcher.submit_all(["b", "c", "d"], timeout_s=10))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await batcher.submit("e", timeout_s=10)
        assert told("chex_queue_waiting") == 3
        assert told("chex_queue_refused_total") == 1
        free.set()
        await asyncio.gather(first, second)
    assert told("chex_queue_waiting") == 0
    assert told("chex_batch_items_count") == 2
    assert told("chex_batch_items_sum") == 4
    assert told("chex_batch_duration_seconds_count") == 2
