"""Metrics that are counted elsewhere, and lines of the log that filters look for."""

import io
import json
from typing import Any

import pytest

from movieql.domain.exports import ExportStatus
from movieql.ports import Endpoint, QueueDepth
from movieql.services.queue_watch import QueueSight
from movieql.web.telemetry import Metrics, make_logger


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def metrics(log: io.StringIO) -> Metrics:
    return Metrics(make_logger("info", "json", log))


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_what_the_queue_is_like_is_shown_while_it_answers(metrics: Metrics) -> None:
    assert value(metrics, "movieql_queue_age_seconds") is None
    metrics.see_queue(QueueSight(QueueDepth(3, 1, 2.5, dropped=4), {ExportStatus.READY: 7}))
    assert value(metrics, "movieql_queue_jobs", state="waiting") == 3
    assert value(metrics, "movieql_queue_jobs", state="running") == 1
    assert value(metrics, "movieql_queue_age_seconds") == 2.5
    assert value(metrics, "movieql_queue_dropped_total") == 4
    assert value(metrics, "movieql_exports_total", status="ready") == 7
    assert value(metrics, "movieql_exports_total", status="failed") == 0  # so that it has a rate
    metrics.see_queue(None)
    for name in ("movieql_queue_jobs", "movieql_exports_total"):
        assert value(metrics, name, state="waiting", status="ready") is None
    assert value(metrics, "movieql_queue_age_seconds") is None


def test_cache_hits_are_read_from_where_they_are_counted(metrics: Metrics) -> None:
    counts: dict[Endpoint, int] = {"list": 0, "detail": 2}
    metrics.cache_hits("corner", counts)
    counts["list"] += 1
    hits = "movieql_cache_hits_total"
    assert value(metrics, hits, provider="corner", endpoint="list") == 1
    assert value(metrics, hits, provider="corner", endpoint="detail") == 2


def test_open_websockets_are_asked_for(metrics: Metrics) -> None:
    assert value(metrics, "movieql_websockets_open") == 0
    metrics.measure_sockets(lambda: 4)
    assert value(metrics, "movieql_websockets_open") == 4


def test_the_process_is_measured(metrics: Metrics) -> None:
    cpu_s = value(metrics, "process_cpu_seconds_total")
    assert cpu_s is not None
    assert cpu_s > 0


def line(log: io.StringIO) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(log.getvalue())
    assert found.pop("level") == "info"
    assert found.pop("timestamp")
    return found


def test_the_depth_of_the_queue_is_a_line(metrics: Metrics, log: io.StringIO) -> None:
    metrics.queue_depth(QueueDepth(3, 1, 2.5678))
    assert line(log) == {"event": "queue depth", "waiting": 3, "running": 1, "age_s": 2.6}


def test_an_export_that_ended_is_a_line(metrics: Metrics, log: io.StringIO) -> None:
    metrics.export_ended("0" * 24, "READY", 14, 1.23456)
    assert line(log) == {
        "event": "export ended",
        "export_id": "0" * 24,
        "status": "ready",
        "rows": 14,
        "seconds": 1.235,
    }
