"""Blocking calls in threads of one's own, a bounded number of them and for a bounded time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from movieql.domain.errors import StoreError

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads:
    """At most `threads_max` calls at once; each is waited for `timeout_s`, its turn included.

    A call whose caller went away or waited too long runs on in its thread to its own end.
    """

    def __init__(self, threads_max: int, timeout_s: float, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads_max, thread_name_prefix=name)
        self._timeout_s = timeout_s

    async def run(self, call: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        """Return what the call returns. Raises StoreError when that takes too long."""
        loop = asyncio.get_running_loop()
        running: asyncio.Future[_T] = loop.run_in_executor(
            self._pool, partial(call, *args, **named)
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                return await running
        except TimeoutError as error:
            raise StoreError(
                f"The object store did not answer within {self._timeout_s:g} s."
            ) from error

    async def aclose(self) -> None:
        """Let the calls under way end, drop those that wait, and end the threads."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
