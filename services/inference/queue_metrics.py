"""The queues of a process, for Prometheus: who waits, who was refused, and what was run together."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from services.inference.batching import MicroBatcher

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Queue(Protocol):
    @property
    def waiting(self) -> int: ...

    @property
    def refused(self) -> int: ...


class QueueMetrics(Collector):
    """Registers itself, and is told of the runs of those queues that make batches."""

    def __init__(self, registry: CollectorRegistry, queues: Mapping[str, Queue]) -> None:
        self._queues = queues
        sizes = Histogram(
            "chex_batch_items", "Items in one run of the model.", ["queue"], buckets=_SIZES, registry=registry
        )
        times = Histogram(
            "chex_batch_duration_seconds",
            "Seconds that one run of the model took.",
            ["queue"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        for name, queue in queues.items():
            if isinstance(queue, MicroBatcher):
                size, seconds = sizes.labels(name), times.labels(name)

                def told(items: int, took_s: float, size: Histogram = size, seconds: Histogram = seconds) -> None:
                    size.observe(items)
                    seconds.observe(took_s)

                queue.on_run = told
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("chex_queue_waiting", "Items that wait in a queue.", labels=["queue"])
        refused = CounterMetricFamily("chex_queue_refused", "Times that a full queue was found.", labels=["queue"])
        for name, queue in self._queues.items():
            waiting.add_metric([name], queue.waiting)
            refused.add_metric([name], queue.refused)
        yield from (waiting, refused)
