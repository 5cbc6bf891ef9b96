"""Simulators with short waits, ended with the test."""

from collections.abc import AsyncIterator

import pytest

from movieql.dev.contracts import Contract
from movieql.dev.faults import Pace
from movieql.dev.simulator import Simulator
from tests.integration.providers.doors import Door, contract_of, opened

QUICK = Pace(slow_s=0.3, drip_s=0.05, retry_after_s=3)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(pace=QUICK) as simulator:
        yield simulator


@pytest.fixture
async def simulator_b() -> AsyncIterator[Simulator]:
    async with Simulator(pace=QUICK, contract=Contract.B) as simulator:
        yield simulator


@pytest.fixture
async def door(simulator: Simulator) -> AsyncIterator[Door]:
    async with opened(contract_of(simulator)) as door:
        yield door
