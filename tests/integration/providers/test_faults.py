"""Every way a shop can fail, over real sockets: the right code, in time, nothing left behind."""

import asyncio
import socket
import time
from dataclasses import replace

import pytest

from movieql.dev.misbehaviour import BAD_PRICES, HUGE_BYTES
from movieql.dev.simulator import Simulator
from movieql.domain.movies import SourceErrorCode, SourceStatus
from movieql.ports import LIST, Call
from movieql.providers.contract import Contract, Operation
from tests.integration.providers.doors import CINEMAWORLD, Door, contract_of, opened

MOVIE = Call("cw0076759")
CALLS = pytest.mark.parametrize("call", [LIST, MOVIE], ids=["list", "detail"])
PROMPT_S = 1.0
"""Much longer than what needs no waiting takes on a busy machine."""
SLACK_S = 0.25


@CALLS
async def test_a_healthy_shop_answers(door: Door, call: Call) -> None:
    timed = await door.ask(call)
    assert timed.answer.status is SourceStatus.OK
    assert timed.elapsed_s < PROMPT_S


@CALLS
@pytest.mark.parametrize(
    "mode, code, retryable",
    [
        ("500", SourceErrorCode.UNAVAILABLE, True),
        ("503", SourceErrorCode.UNAVAILABLE, True),
        ("429", SourceErrorCode.RATE_LIMITED, True),
        ("403", SourceErrorCode.UNAUTHORIZED, False),
        ("html", SourceErrorCode.BAD_RESPONSE, True),
        ("truncated", SourceErrorCode.BAD_RESPONSE, True),
        ("empty", SourceErrorCode.BAD_RESPONSE, True),
        ("wrong-shape", SourceErrorCode.BAD_RESPONSE, True),
        ("reset", SourceErrorCode.UNAVAILABLE, True),
        ("huge", SourceErrorCode.BAD_RESPONSE, True),
        ("refuse", SourceErrorCode.UNAVAILABLE, True),
    ],
)
async def test_a_fault_has_its_code_at_once(  # pytest's
    door: Door,
    simulator: Simulator,
    call: Call,
    mode: str,
    code: SourceErrorCode,
    retryable: bool,  # noqa: FBT001  # pytest names it
) -> None:
    await simulator.turn(CINEMAWORLD, mode)
    timed = await door.ask(call)
    assert timed.answer.rows is None
    assert timed.answer.error is not None
    assert (timed.answer.error.code, timed.answer.error.retryable) == (code, retryable)
    assert timed.elapsed_s < PROMPT_S
    assert simulator.token not in repr(timed.answer)


async def test_a_busy_shop_says_how_long_to_wait(door: Door, simulator: Simulator) -> None:
    await simulator.turn(CINEMAWORLD, "429")
    answer = (await door.ask()).answer
    assert answer.error is not None
    assert 2_000 < (answer.error.retry_after_ms(time.monotonic()) or 0) <= 3_000


@CALLS
@pytest.mark.parametrize("mode", ["hang", "drip"])
async def test_a_shop_that_does_not_end_is_left_in_time(
    door: Door, simulator: Simulator, call: Call, mode: str
) -> None:
    await simulator.turn(CINEMAWORLD, mode)
    timed = await door.ask(call, within_s=0.4)
    assert timed.answer.error is not None
    assert timed.answer.error.code is SourceErrorCode.TIMEOUT
    assert timed.elapsed_s == pytest.approx(0.4, abs=SLACK_S)


async def test_a_long_time_ends_as_exactly_as_a_short_one(
    door: Door, simulator: Simulator
) -> None:
    await simulator.turn(CINEMAWORLD, "hang")
    loop = asyncio.get_running_loop()
    within_s = 5.05 + (1 - loop.time() % 1)  # ends just behind a whole second
    timed = await door.ask(within_s=within_s)
    assert timed.elapsed_s == pytest.approx(within_s, abs=SLACK_S)


@CALLS
async def test_a_slow_shop_is_waited_for_while_there_is_time(
    door: Door, simulator: Simulator, call: Call
) -> None:
    await simulator.turn(CINEMAWORLD, "slow")
    timed = await door.ask(call, within_s=5.0)
    assert timed.answer.status is SourceStatus.OK
    assert timed.elapsed_s >= simulator.pace.slow_s


async def test_a_flapping_shop_fails_every_second_time_and_heals_with_the_next(
    door: Door, simulator: Simulator
) -> None:
    await simulator.turn(CINEMAWORLD, "flapping")
    statuses = [(await door.ask()).answer.status for _ in range(4)]
    assert statuses == [SourceStatus.OK, SourceStatus.FAILED] * 2


async def test_bad_prices_are_no_prices_and_the_movie_stays(
    door: Door, simulator: Simulator
) -> None:
    await simulator.turn(CINEMAWORLD, "bad-prices")
    for price in BAD_PRICES:
        answer = (await door.ask(MOVIE)).answer
        assert answer.status is SourceStatus.OK
        assert answer.rows is not None
        assert answer.rows[0].description.title is not None
        assert answer.rows[0].amount is None, price


async def test_a_huge_body_is_not_read_to_its_end(simulator: Simulator) -> None:
    await simulator.turn(CINEMAWORLD, "huge")
    async with opened(replace(contract_of(simulator), body_bytes_max=100_000)) as door:
        timed = await door.ask()
        assert timed.answer.error is not None
        assert "too large" in timed.answer.error.message
        assert timed.elapsed_s < PROMPT_S
    assert HUGE_BYTES > 100 * 100_000


async def test_a_body_of_exactly_the_bound_is_read(simulator: Simulator) -> None:
    contract = contract_of(simulator)
    async with opened(contract) as door:
        rows = (await door.ask()).answer.rows
    assert rows is not None
    for bytes_max, status in ((100_000, SourceStatus.OK), (100, SourceStatus.FAILED)):
        async with opened(replace(contract, body_bytes_max=bytes_max)) as door:
            assert (await door.ask()).answer.status is status


async def test_a_movie_that_the_shop_does_not_know_is_an_answer(door: Door) -> None:
    answer = (await door.ask(Call("cw9999999"))).answer
    assert (answer.status, answer.rows) == (SourceStatus.OK, ())


@pytest.mark.parametrize("own_id", ["../movies", "..%2fmovies", "a/b", "?x=1", "#x", "\u00e9"])
async def test_an_odd_id_asks_for_nothing_but_a_detail(
    door: Door, simulator: Simulator, own_id: str
) -> None:
    answer = (await door.ask(Call(own_id))).answer
    assert answer.rows == ()
    assert simulator.calls == {(CINEMAWORLD, "detail", own_id): 1}


async def test_a_wrong_token_is_told_and_not_shown(simulator: Simulator) -> None:
    async with opened(contract_of(simulator, CINEMAWORLD_TOKEN="hunter2")) as door:  # noqa: S106
        answer = (await door.ask()).answer
    assert answer.error is not None
    assert (answer.error.code, answer.error.retryable) == (SourceErrorCode.UNAUTHORIZED, False)
    assert "hunter2" not in repr(answer)


async def test_a_host_that_does_not_exist_is_unavailable() -> None:
    contract = Contract("http://shop.invalid", Operation("/movies"), {"id": "ID"})
    async with opened(contract) as door:
        answer = (await door.ask(within_s=10.0)).answer
    assert answer.error is not None
    # Where the name server does not answer either, time runs out first.
    assert answer.error.code in {SourceErrorCode.UNAVAILABLE, SourceErrorCode.TIMEOUT}


async def test_a_port_that_accepts_and_says_nothing_is_left_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        contract = Contract(f"http://127.0.0.1:{port}", Operation("/movies"), {"id": "ID"})
        async with opened(contract) as door:
            timed = await door.ask(within_s=0.3)
    assert timed.answer.error is not None
    assert timed.answer.error.code is SourceErrorCode.TIMEOUT
    assert timed.elapsed_s == pytest.approx(0.3, abs=SLACK_S)


async def test_a_server_without_tls_is_no_shop_over_tls(simulator: Simulator) -> None:
    url = contract_of(simulator).base_url.replace("http://", "https://")
    async with opened(replace(contract_of(simulator), base_url=url)) as door:
        answer = (await door.ask()).answer
    assert answer.error is not None
    assert answer.error.code is SourceErrorCode.UNAVAILABLE


async def test_a_caller_that_leaves_closes_its_connection(
    door: Door, simulator: Simulator
) -> None:
    await simulator.turn(CINEMAWORLD, "hang")
    asking = asyncio.ensure_future(door.ask())
    async with asyncio.timeout(2):
        while not simulator.calls:  # noqa: ASYNC110  # the count has no event to wait for
            await asyncio.sleep(0.01)
    assert door.connections_in_use == 1
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert door.connections_in_use == 0


async def test_one_connection_serves_many_calls_also_when_some_are_refused(
    door: Door, simulator: Simulator
) -> None:
    for call in (LIST, MOVIE, Call("cw9999999"), LIST):
        await door.ask(call)
    await simulator.turn(CINEMAWORLD, "503")
    await door.ask()
    assert sum(len(idle) for idle in door.connector._conns.values()) == 1  # noqa: SLF001
