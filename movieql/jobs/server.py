"""What the queue asks of its Redis, looked at before the first job."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from movieql.domain.errors import SettingsError
from movieql.jobs.connections import answered

VERSION_MIN: Final = (6, 2)
"""The first with BLMOVE, without which a worker that dies loses the job it just took."""


async def check_server(client: "Redis", timeout_s: float = 5.0) -> Sequence[str]:
    """Return warnings about a Redis, each a sentence.

    Raises SettingsError for one that the queue cannot run on, QueueError if none answers.
    """
    async with answered(timeout_s):
        found: Mapping[str, Any] = await client.info()
    return judged(found)


def judged(found: Mapping[str, Any]) -> Sequence[str]:
    """Judge what INFO says: return warnings, raise SettingsError."""
    if int(found.get("cluster_enabled", 0)):
        raise SettingsError(
            "MOVIEQL_QUEUE_URL is a Redis in cluster mode, which RQ cannot run on: use one with "
            "cluster mode disabled."
        )
    version = str(found.get("redis_version", "0"))
    if _numbers(version) < VERSION_MIN:
        raise SettingsError(
            f"MOVIEQL_QUEUE_URL is a Redis {version}; the queue needs 6.2 or newer, or a Valkey."
        )
    return _warnings(found)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _warnings(found: Mapping[str, Any]) -> Sequence[str]:
    warnings = []
    policy = found.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        warnings.append(
            f"The queue's Redis drops keys when it is full (maxmemory-policy {policy}): jobs get "
            "lost and are queued again later; set noeviction."
        )
    if not int(found.get("aof_enabled", 0)):
        warnings.append(
            "The queue's Redis writes no append-only file: jobs get lost when it ends and are "
            "queued again later; set appendonly yes."
        )
    return warnings
