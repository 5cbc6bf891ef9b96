"""What is asked of the queue's Redis."""

from typing import Any

import pytest

from movieql.domain.errors import SettingsError
from movieql.jobs.server import judged

GOOD = {
    "redis_version": "7.2.4",
    "cluster_enabled": 0,
    "aof_enabled": 1,
    "maxmemory_policy": "noeviction",
}


def test_a_good_redis_is_left_alone() -> None:
    assert judged(GOOD) == []


@pytest.mark.parametrize("version", ["6.2.0", "6.2", "7.0.15", "10.0.1"])
def test_newer_ones_will_do(version: str) -> None:
    assert judged({**GOOD, "redis_version": version}) == []


@pytest.mark.parametrize("version", ["6.0.16", "5.0.14", "2.8", "", "odd"])
def test_older_ones_are_refused(version: str) -> None:
    with pytest.raises(SettingsError, match=r"6\.2"):
        judged({**GOOD, "redis_version": version})


def test_cluster_mode_is_refused() -> None:
    with pytest.raises(SettingsError, match="cluster mode"):
        judged({**GOOD, "cluster_enabled": 1})


@pytest.mark.parametrize(
    "found, word",
    [({"aof_enabled": 0}, "appendonly"), ({"maxmemory_policy": "allkeys-lru"}, "noeviction")],
)
def test_what_may_lose_jobs_is_warned_of(found: dict[str, Any], word: str) -> None:
    (warning,) = judged({**GOOD, **found})
    assert word in warning
