"""Calls to the queue: their failures are ours, and who is cancelled stays cancelled."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from movieql.domain.errors import QueueError
from movieql.jobs.connections import answered


async def fails() -> None:
    raise RedisConnectionError("Error 111 connecting to secret.example:6379")


async def hangs() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("call", [fails, hangs])
async def test_a_failure_is_ours_and_tells_no_address(call: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(QueueError) as raised:
        async with answered(0.01):
            await call()
    assert "secret" not in str(raised.value)


async def goes_on() -> None:
    try:
        await hangs()
    except asyncio.CancelledError:
        return


async def makes_an_error_of_it() -> None:
    try:
        await hangs()
    except asyncio.CancelledError as error:
        raise RedisConnectionError from error


@pytest.mark.parametrize("call", [hangs, goes_on, makes_an_error_of_it])
async def test_who_is_cancelled_stays_cancelled(call: Callable[[], Awaitable[None]]) -> None:
    async def asks() -> None:
        async with answered(5.0):
            await call()
        raise AssertionError("it went on")

    task = asyncio.ensure_future(asks())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
