"""Blocking calls in threads."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from movieql.domain.errors import StoreError
from movieql.storage.threads import Threads
from tests.servers import until


@pytest.fixture
async def threads() -> AsyncIterator[Threads]:
    opened = Threads(2, 0.1, "test-threads")
    yield opened
    await opened.aclose()


def failing() -> None:
    raise StoreError("late")


async def test_a_call_returns_and_raises_what_it_does(threads: Threads) -> None:
    assert await threads.run(pow, 2, 10) == 1024
    with pytest.raises(StoreError, match="late"):
        await threads.run(failing)


async def test_no_more_calls_run_at_once_than_there_are_threads(threads: Threads) -> None:
    running, most, gate = 0, 0, threading.Lock()

    def call() -> None:
        nonlocal running, most
        with gate:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.005)
        with gate:
            running -= 1

    await asyncio.gather(*(threads.run(call) for _ in range(10)))
    assert most == 2


async def test_a_call_that_takes_too_long_is_not_waited_for(
    threads: Threads, caplog: pytest.LogCaptureFixture
) -> None:
    go, ended = threading.Event(), threading.Event()

    def slow() -> None:
        go.wait(5)
        ended.set()
        raise StoreError("too late for anybody")

    with pytest.raises(StoreError, match=r"within 0\.1 s"):
        await threads.run(slow)
    go.set()
    await until(ended.is_set)
    assert await threads.run(pow, 2, 2) == 4
    assert not caplog.records  # nothing about an error that nobody took


async def test_closing_ends_the_threads() -> None:
    threads = Threads(2, 1.0, "test-closing")
    await threads.run(pow, 2, 2)
    await threads.aclose()
    assert not [each for each in threading.enumerate() if each.name.startswith("test-closing")]
