"""`Cached` against everything that time, a shop and other replicas may do, in any order."""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from movieql.domain.movies import Answer, ContentRevision, Row, SourceErrorCode, failed
from movieql.memory import RecordedTelemetry, VirtualClock
from movieql.ports import LIST, Call
from movieql.providers.cached import Cached, Lifetimes
from tests.builders import row
from tests.caches import FailingCache

CALLS = (LIST, Call("cw1"), Call("cw2"))
LIFETIMES = Lifetimes(stale_on_error_s=900.0)
CALLS_AT_ONCE_MAX = math.ceil(LIFETIMES.late_s / LIFETIMES.patience_s)
"""A call past its patience goes on beside the one that the next question makes."""
"""The defaults, but for the day that would rarely pass between two random steps."""
BUDGET_S = 2.5
SLACK_S = 1e-6

CONTENTS: dict[str, tuple[Row, ...]] = {
    "nine": (row("cw1", price="9.5"),),
    "ten": (row("cw1", price="10"),),
    "unpriced": (replace(row("cw1"), price_problem="Not a price."),),
    "nothing": (),
}
STEPS_S = st.sampled_from([0.01, 0.3, 1.4, 2.0, 9.0, 14.0, 50.0, 70.0, 250.0, 400.0, 800.0])


@dataclass(frozen=True)
class Said:
    """What the shop said: the model of the truth."""

    at_s: float
    rows: tuple[Row, ...]


class ScriptedShop:
    """Does what it is told, remembers all it said, and counts calls that overlap."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.content, self.delay_s, self.fails, self.breaks = "nine", 0.0, False, False
        self.said: dict[Call, dict[datetime, Said]] = {call: {} for call in CALLS}
        self.under_way: Counter[Call] = Counter()
        self.most_at_once = 0

    async def fetch(self, call: Call, until_s: float) -> Answer:
        self.under_way[call] += 1
        self.most_at_once = max(self.most_at_once, self.under_way[call])
        try:
            return await self._answer(call, until_s)
        finally:
            self.under_way[call] -= 1

    async def _answer(self, call: Call, until_s: float) -> Answer:
        content, fails, breaks = self.content, self.fails, self.breaks
        left_s = until_s - self.clock.monotonic_s()
        if self.delay_s:
            await self.clock.sleep(min(self.delay_s, left_s))
        if breaks:
            raise RuntimeError("a fault of ours")
        if fails or self.delay_s > left_s:
            return failed(SourceErrorCode.UNAVAILABLE, "The shop is down.")
        rows = CONTENTS[content]
        if call == LIST and not rows:
            return failed(SourceErrorCode.BAD_RESPONSE, "An empty list.")  # as `read_list` says
        self.said[call][self.clock.now()] = Said(self.clock.monotonic_s(), rows)
        return Answer(rows=rows, as_of=self.clock.now(), fresh=True)


class CachedMachine(RuleBasedStateMachine):
    """Two replicas over one shared cache; every answer is checked when it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = VirtualClock()
        self.shops: list[ScriptedShop] = []
        self.replicas: list[Cached] = []
        self.questions: list[asyncio.Task[None]] = []
        self.storage = FailingCache(self.clock)

    def run(self, doing: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(doing)

    @initialize()
    def open(self) -> None:
        for seed in range(2):
            shop = ScriptedShop(self.clock)
            self.shops.append(shop)
            self.replicas.append(
                Cached(
                    shop,
                    provider="cinemaworld",
                    cache=self.storage,
                    key_prefix="movieql",
                    lifetimes=LIFETIMES,
                    revision=ContentRevision(),
                    clock=self.clock,
                    telemetry=RecordedTelemetry(),
                    rng=random.Random(seed),  # jitter is no secret
                )
            )

    @rule(
        content=st.sampled_from(sorted(CONTENTS)),
        delay_s=st.sampled_from([0.0, 0.0, 0.5, 1.6, 4.0, 30.0]),
        failing=st.sampled_from(["", "", "fails", "breaks"]),
    )
    def the_shop_becomes(self, content: str, delay_s: float, failing: str) -> None:
        for shop in self.shops:
            shop.content, shop.delay_s = content, delay_s
            shop.fails, shop.breaks = failing == "fails", failing == "breaks"

    @rule(delay_s=st.sampled_from([250.0, 850.0, 950.0]))
    def the_shop_goes_down_for(self, delay_s: float) -> None:
        for failing in ("", "fails"):
            self.the_shop_becomes("nine", 0.0, failing)
            for call in CALLS:
                self.somebody_asks(call, which=0, several=1)
            self.time_passes(delay_s)
        for call in CALLS:
            self.somebody_asks(call, which=0, several=1)

    @rule(broken=st.booleans())
    def the_shared_cache_becomes(self, broken: bool) -> None:  # noqa: FBT001  # hypothesis names it
        self.storage.broken = broken

    @rule(delay_s=STEPS_S)
    def time_passes(self, delay_s: float) -> None:
        self.run(self.clock.advance(delay_s))
        self._raise_what_failed()

    @rule(call=st.sampled_from(CALLS), which=st.integers(0, 1), several=st.integers(1, 3))
    def somebody_asks(self, call: Call, which: int, several: int) -> None:
        async def ask() -> None:
            for _ in range(several):
                self.questions.append(asyncio.ensure_future(self._ask(call, which)))
            await self.clock.settle()

        self.run(ask())
        self._raise_what_failed()

    @rule()
    def somebody_gives_up(self) -> None:
        if self.questions:
            self.questions.pop().cancel()
            self.run(self.clock.settle())

    @invariant()
    def few_calls_at_once_for_a_key(self) -> None:
        assert all(shop.most_at_once <= CALLS_AT_ONCE_MAX for shop in self.shops)

    async def _ask(self, call: Call, which: int) -> None:
        started_s = self.clock.monotonic_s()
        at_hand = self.replicas[which].peek(call)
        answer = await self.replicas[which].fetch(call, started_s + BUDGET_S)
        waited_s = self.clock.monotonic_s() - started_s
        assert waited_s <= LIFETIMES.patience_s + LIFETIMES.storage_s + SLACK_S
        assert answer.latency_ms == round(waited_s * 1000)
        if at_hand is not None:
            assert waited_s == 0
            assert (answer.rows, answer.fresh) == (at_hand.rows, at_hand.fresh)
        self._check(call, which, answer)

    def _check(self, call: Call, which: int, answer: Answer) -> None:
        if answer.rows is None:
            assert answer.error is not None
            assert not answer.fresh
            assert not self._something_good(call, which)
            return
        assert answer.as_of is not None
        said = [shop.said[call].get(answer.as_of) for shop in self.shops]
        assert any(each is not None and each.rows == answer.rows for each in said)
        age_s = (self.clock.now() - answer.as_of).total_seconds()
        assert age_s < LIFETIMES.stale_on_error_s
        negative = call.movie_id is not None and not answer.rows
        fresh_s = LIFETIMES.negative_s if negative else LIFETIMES.fresh_s
        assert answer.fresh is (answer.fresh_until_s > 0)
        if answer.fresh:
            assert age_s <= fresh_s * (1 + LIFETIMES.fresh_jitter) + SLACK_S
            assert answer.error is None
        else:
            assert not negative
            assert age_s >= fresh_s * (1 - LIFETIMES.fresh_jitter) - SLACK_S

    def _something_good(self, call: Call, which: int) -> bool:
        """Tell whether the last thing this replica's shop said can still be shown."""
        own = list(self.shops[which].said[call].values())
        if not own or not own[-1].rows:
            return False
        # At the same moment another replica's "no such movie" may have come over the cache.
        return self.clock.monotonic_s() - own[-1].at_s < LIFETIMES.stale_on_error_s and not any(
            each.rows == () for shop in self.shops for each in shop.said[call].values()
        )

    def _raise_what_failed(self) -> None:
        ended = [question for question in self.questions if question.done()]
        self.questions = [question for question in self.questions if not question.done()]
        for question in ended:
            question.result()

    def teardown(self) -> None:
        async def close() -> None:
            for question in self.questions:
                question.cancel()
            await asyncio.gather(*self.questions, return_exceptions=True)
            for replica in self.replicas:
                await replica.close()

        self.run(close())
        assert not asyncio.all_tasks(self.loop)
        self.loop.close()


TestCached = CachedMachine.TestCase
TestCached.settings = settings(
    max_examples=settings.default.max_examples // 2 if settings.default else 50,
    stateful_step_count=25,
)
