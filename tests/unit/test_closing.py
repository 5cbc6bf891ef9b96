"""What is open closes, in order and in bounded time."""

import asyncio
import io
import json

import pytest

from movieql.composition.closing import closed_within
from movieql.web.telemetry import make_logger


async def test_what_is_open_closes_the_last_first() -> None:
    closed: list[str] = []
    log = io.StringIO()
    async with closed_within(5.0, make_logger("info", "json", log)) as stack:
        stack.callback(closed.append, "first")
        stack.callback(closed.append, "last")
    assert closed == ["last", "first"]
    assert log.getvalue() == ""


async def test_what_hangs_is_cut_off_and_the_rest_closes() -> None:
    closed: list[str] = []
    log = io.StringIO()
    async with asyncio.timeout(5.0):
        async with closed_within(0.05, make_logger("info", "json", log)) as stack:
            stack.callback(closed.append, "first")
            stack.push_async_callback(asyncio.sleep, 60.0)
            stack.callback(closed.append, "second")
            stack.push_async_callback(asyncio.sleep, 60.0)
    assert closed == ["second", "first"]
    assert json.loads(log.getvalue())["event"] == "closing took too long"


async def test_a_closing_that_fails_is_told() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def close() -> None:
        async with closed_within(5.0, make_logger("info", "json", io.StringIO())) as stack:
            stack.callback(fail)

    with pytest.raises(ZeroDivisionError):
        await close()


async def test_a_failure_closes_what_is_open_and_is_told() -> None:
    closed: list[str] = []

    async def fail() -> None:
        async with closed_within(5.0, make_logger("info", "json", io.StringIO())) as stack:
            stack.callback(closed.append, "first")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert closed == ["first"]
