"""`ports.ExportTally` in Redis: a hash with a count by status."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from redis.asyncio import Redis

from movieql.domain.exports import ExportStatus
from movieql.jobs.connections import answered
from movieql.jobs.names import KEY_PREFIX

KEY: Final = f"{KEY_PREFIX}ended"
"""The hash; without it the counts start anew."""

REMEMBERED_S: Final = 3_600
"""Seconds for which the same export is not counted again: a lost answer is asked for again."""

_COUNT: Final = """
    if redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[2]) then
        redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
    end
    return 1
"""


class RedisExportTally:
    """Counts exports that ended; see `ports.ExportTally`. The client is the caller's to close.

    `timeout_s`: longest wait for an answer, tries included; who waits has ended an export.
    """

    def __init__(self, client: "Redis", timeout_s: float = 1.0) -> None:
        self._client: Any = client  # redis-py types its answers as for the blocking client, too
        self._timeout_s = timeout_s
        self._count: Any = client.register_script(_COUNT)

    async def count(self, export_id: str, status: ExportStatus) -> None:
        """Count an export; see `ports.ExportTally`."""
        keys = [KEY, f"{KEY}:{export_id}"]
        async with answered(self._timeout_s):
            await self._count(keys=keys, args=[status.value, REMEMBERED_S])

    async def counts(self) -> Mapping[ExportStatus, int]:
        """Return how many there were; see `ports.ExportTally`."""
        async with answered(self._timeout_s):
            found = await self._client.hgetall(KEY)
        counts = {}
        for status, count in found.items():
            with suppress(ValueError):  # whoever can write Redis may put anything there
                counts[ExportStatus(status.decode())] = int(count)
        return counts
