"""The state of the index, for Prometheus."""

import time
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.image_index.store.contract import ImageStore
from shared.errors import ServiceError
from shared.schemas.system import ReportCounts

_COUNTED_EVERY_S = 60  # what has to be counted row by row


class IndexMetrics(Collector):
    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self._counts: ReportCounts | None = None
        self._counted_at = 0.0

    def collect(self) -> Iterator[Metric]:
        """Without the counts of reports while the disk does not let them be counted."""
        info, counts = self._store.info(), self._reports()
        yield GaugeMetricFamily("chex_index_images", "Images in the index.", info.size)
        yield GaugeMetricFamily("chex_index_generation", "Acknowledged changes of the index.", info.generation)
        if counts is not None:
            yield GaugeMetricFamily(
                "chex_index_images_with_report",
                "Images for which a report counts, a minute ago at most.",
                counts.images,
            )
            yield GaugeMetricFamily(
                "chex_index_reports_waiting", "Reports without an image yet, a minute ago at most.", counts.waiting
            )

    def _reports(self) -> ReportCounts | None:
        now = time.monotonic()
        if self._counts is None or now - self._counted_at > _COUNTED_EVERY_S:
            try:
                self._counts = self._store.describe().reports
            except ServiceError:
                return None
            self._counted_at = now
        return self._counts
