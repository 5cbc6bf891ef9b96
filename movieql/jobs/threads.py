"""RQ's blocking calls in threads of one's own, a bounded number of them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from movieql.jobs.connections import answered


class Threads:
    """At most `threads_max` calls at once; each is waited for `timeout_s`, its turn included.

    A call whose caller went away or waited too long runs on in its thread to its own end, which
    the client's timeouts bound.
    """

    def __init__(self, threads_max: int, timeout_s: float, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads_max, thread_name_prefix=name)
        self._timeout_s = timeout_s

    async def run(self, call: Callable[..., Any], *args: Any) -> Any:
        """Return what the call returns. Raises QueueError when it fails or takes too long."""
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._pool, call, *args)
        running.add_done_callback(_seen)
        async with answered(self._timeout_s):
            return await running

    async def aclose(self) -> None:
        """Let the calls under way end, drop those that wait, and end the threads."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)


def _seen(ended: "asyncio.Future[Any]") -> None:
    if not ended.cancelled():
        ended.exception()  # or one that nobody waits for any more would be warned of
