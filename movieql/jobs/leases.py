"""`ports.Leases` in Redis."""

from typing import Any, Final

from redis.asyncio import Redis

from movieql.jobs.connections import answered
from movieql.jobs.names import KEY_PREFIX

_HOLD: Final = """
    local holder = redis.call('GET', KEYS[1])
    if holder and holder ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1
"""

_RELEASE: Final = """
    if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
    return 1
"""


class RedisLeases:
    """Names with one holder for a while; see `ports.Leases`. The client is the caller's to close.

    `timeout_s`: longest wait for an answer, tries included.
    """

    def __init__(self, client: "Redis", timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._hold = client.register_script(_HOLD)
        self._release = client.register_script(_RELEASE)

    async def hold(self, name: str, token: str, lifetime_s: float) -> bool:
        """Take or keep a name; see `ports.Leases`."""
        return bool(await self._run(self._hold, name, token, max(round(lifetime_s * 1000), 1)))

    async def release(self, name: str, token: str) -> None:
        """Give a name back; see `ports.Leases`."""
        await self._run(self._release, name, token)

    async def _run(self, script: Any, name: str, *args: Any) -> Any:
        async with answered(self._timeout_s):
            return await script(keys=[f"{KEY_PREFIX}lease:{name}"], args=args)
