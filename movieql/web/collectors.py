"""Metrics that are counted or measured elsewhere, and read when they are asked for."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from movieql.domain.exports import ExportStatus
from movieql.ports import Endpoint
from movieql.services.queue_watch import QueueSight

_ENDINGS = (
    ExportStatus.READY,
    ExportStatus.PARTIAL,
    ExportStatus.FAILED,
    ExportStatus.CANCELLED,
)


class CacheHits(Collector):
    """Answers that were fresh at hand, counted by each provider's cache itself.

    Adding to a plain number costs a tenth of a counter of this library, for every row of a page.
    """

    def __init__(self) -> None:
        self._counts: dict[str, Mapping[Endpoint, int]] = {}

    def read(self, provider: str, counts: Mapping[Endpoint, int]) -> None:
        """Read a provider's counts from here on; they go on counting."""
        self._counts[provider] = counts

    def collect(self) -> Iterable[Metric]:
        """Yield what was counted."""
        hits = CounterMetricFamily(
            "movieql_cache_hits",
            "Calls answered by what was fresh in this process.",
            labels=["provider", "endpoint"],
        )
        for provider, counts in self._counts.items():
            for endpoint, count in counts.items():
                hits.add_metric([provider, endpoint], count)
        yield hits


class QueueFigures(Collector):
    """What the latest look at the queue found; no figure at all when it did not answer.

    An old figure would look like one of now, and 0 like a queue that is empty.
    """

    def __init__(self) -> None:
        self.sight: QueueSight | None = None

    def collect(self) -> Iterable[Metric]:
        """Yield what is known."""
        jobs = GaugeMetricFamily(
            "movieql_queue_jobs",
            "Exports in the queue: waiting, or running.",
            labels=["state"],
        )
        age = GaugeMetricFamily(
            "movieql_queue_age_seconds",
            "Seconds that the first export in line has waited, 0 where none waits.",
            labels=[],
        )
        ended = CounterMetricFamily(
            "movieql_exports",
            "Exports that ended, on all replicas, by how they did.",
            labels=["status"],
        )
        dropped = CounterMetricFamily(
            "movieql_queue_dropped",
            "Foreign entries that workers dropped from the queue; somebody else writes into it.",
            labels=[],
        )
        sight = self.sight
        if sight is not None:
            jobs.add_metric(["waiting"], sight.depth.waiting)
            jobs.add_metric(["running"], sight.depth.running)
            age.add_metric([], sight.depth.oldest_age_s)
            dropped.add_metric([], sight.depth.dropped)
            for status in _ENDINGS:
                ended.add_metric([status.value.lower()], sight.ended.get(status, 0))
        yield from (jobs, age, dropped, ended)


class OpenSockets(Collector):
    """How many WebSockets are open, asked of whoever has them."""

    def __init__(self) -> None:
        self.count: Callable[[], int] = int

    def collect(self) -> Iterable[Metric]:
        """Yield how many there are."""
        yield GaugeMetricFamily(
            "movieql_websockets_open", "WebSockets that are open.", value=self.count()
        )
