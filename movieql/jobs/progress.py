"""`ports.ExportProgressBoard` in Redis: a key is the truth, a channel wakes who watches."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from movieql.domain.errors import QueueError
from movieql.jobs.connections import answered
from movieql.jobs.names import KEY_PREFIX
from movieql.ports import Clock, ExportProgress

_COUNT_MAX = 2**31 - 1
"""The highest number that GraphQL's Int shows."""


@dataclass(frozen=True, slots=True)
class ProgressRules:
    """Bounds of the board; seconds and counts.

    `kept_s`: how long the last report stays; `look_s`: longest time between two looks at the key,
    for a message may get lost; `watch_s_max`: longest watch; `watchers_max`: watches at once per
    process, each a connection.
    """

    kept_s: int = 86_400
    look_s: float = 2.0
    watch_s_max: float = 3_600.0
    watchers_max: int = 40
    timeout_s: float = 5.0


class RedisProgressBoard:
    """Progress of exports; see `ports.ExportProgressBoard`. The client is the caller's to close.

    The client needs more connections than `watchers_max`, or watchers starve the others.
    """

    def __init__(self, client: "Redis", clock: Clock, rules: ProgressRules | None = None) -> None:
        self._client = client
        self._clock = clock
        self._rules = rules or ProgressRules()
        self._watchers = 0

    async def report(self, export_id: str, progress: ExportProgress) -> None:
        """Replace what is known of an export; see `ports.ExportProgressBoard`."""
        key = _key(export_id)
        async with (
            answered(self._rules.timeout_s),
            self._client.pipeline(transaction=True) as pipe,
        ):
            pipe.set(key, orjson.dumps(progress), ex=self._rules.kept_s)
            pipe.publish(key, b"")
            await pipe.execute()

    async def progress(self, export_ids: Sequence[str]) -> Mapping[str, ExportProgress]:
        """Return what is known; see `ports.ExportProgressBoard`."""
        if not export_ids:
            return {}
        async with answered(self._rules.timeout_s):
            bodies = await self._client.mget([_key(each) for each in export_ids])
        read = zip(export_ids, map(_progress, bodies), strict=True)
        return {export_id: progress for export_id, progress in read if progress is not None}

    async def watch(self, export_id: str) -> AsyncGenerator[ExportProgress, None]:
        """Yield what is known and every change; see `ports.ExportProgressBoard`."""
        if self._watchers >= self._rules.watchers_max:
            raise QueueError("Too many watch exports at once; ask for the export now and then.")
        self._watchers += 1
        try:
            async with AsyncExitStack() as stack:
                channel = await self._subscribed(export_id, stack)
                async for progress in self._changes(export_id, channel):
                    yield progress
        finally:
            self._watchers -= 1

    async def _subscribed(self, export_id: str, stack: AsyncExitStack) -> Any:
        channel = self._client.pubsub(ignore_subscribe_messages=True)
        stack.push_async_callback(_closed, channel)
        async with answered(self._rules.timeout_s):
            await channel.subscribe(_key(export_id))
        return channel

    async def _changes(self, export_id: str, channel: Any) -> AsyncGenerator[ExportProgress, None]:
        until_s = self._clock.monotonic_s() + self._rules.watch_s_max
        last: ExportProgress | None = None
        while True:
            known = (await self.progress([export_id])).get(export_id)
            if known is not None and known != last:
                last = known
                yield known
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0 or (known is not None and known.over):
                return
            await self._woken(channel, min(left_s, self._rules.look_s))

    async def _woken(self, channel: Any, wait_s: float) -> None:
        """Wait for news, at most so long; all the news that came meanwhile count as one."""
        async with answered(wait_s + self._rules.timeout_s):
            news = await channel.get_message(timeout=wait_s)
            while news is not None:
                news = await channel.get_message(timeout=0.0)


def _key(export_id: str) -> str:
    return f"{KEY_PREFIX}progress:{export_id}"


def _progress(body: bytes | str | None) -> ExportProgress | None:
    """Return what a key holds, None for nothing and for what is not ours."""
    with suppress(orjson.JSONDecodeError, TypeError):
        found = ExportProgress(**orjson.loads(body or b"null"))
        counts = (found.done, found.total, found.attempt)
        if all(type(each) is int and 0 <= each <= _COUNT_MAX for each in counts):
            return found
    return None


async def _closed(channel: Any) -> None:
    with suppress(RedisError, OSError, asyncio.TimeoutError):
        await channel.aclose()
