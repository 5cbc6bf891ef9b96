"""What these tests share: a virtual clock, and aiohttp answered without sockets."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import aioresponses, core

from movieql.memory import RecordedTelemetry, VirtualClock

AIOHTTP = tuple(int(part) for part in aiohttp.__version__.split(".")[:2])


class _Reply(aiohttp.ClientResponse):
    def __init__(self, *args: Any, **named: Any) -> None:
        named.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **named)


@pytest.fixture
def shops(monkeypatch: pytest.MonkeyPatch) -> Iterator[aioresponses]:
    """Answer every request of aiohttp with what the test says."""
    if AIOHTTP >= (3, 14):  # aioresponses 0.7.9 does not know of an argument that is new there
        monkeypatch.setattr(core, "ClientResponse", _Reply)
    with aioresponses() as mocked:
        yield mocked


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def telemetry() -> RecordedTelemetry:
    return RecordedTelemetry()
