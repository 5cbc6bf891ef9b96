"""The GraphQL layer over shops in memory: everything between HTTP and the providers."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from movieql.api.context import Context, DetailLoader, PageLimits
from movieql.api.engine import Answered, Engine
from movieql.api.execution import DocumentLimits, Executor, KeepingExecutor
from movieql.api.limits import LimitCheck, OperationLimits
from movieql.api.persisted import PersistedDocuments
from movieql.api.schema import build_schema, core_schema
from movieql.domain.matching import Identities
from movieql.domain.movies import Answer, ListingKey
from movieql.memory import MemoryProvider, VirtualClock
from movieql.movies.browse import Browse, Source
from movieql.movies.snapshot import Snapshot
from movieql.ports import LIST, Call, Clock
from tests.builders import fresh, row, shop
from tests.caches import FailingCache

CORE_SCHEMA = core_schema(build_schema())
"""Built once: it is not free, and nothing changes it."""

REQUEST_ID = "request-1"


def executor(limits: OperationLimits | None = None) -> Executor:
    """Return an executor of the real schema."""
    check = LimitCheck(CORE_SCHEMA, limits or OperationLimits(), page_size=50)
    return Executor(CORE_SCHEMA, DocumentLimits(), check)


def cost_of(
    query: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    limits: OperationLimits | None = None,
) -> int:
    """Return what a valid operation costs. Raises LimitExceededError."""
    own = executor(limits)
    prepared = own.prepare(query)
    assert prepared.errors == ()
    begun = own.begin(prepared, Api().context(), variables or {}, operation_name)
    assert isinstance(begun, KeepingExecutor), begun
    return own.cost(prepared, begun)


class RecordedBrowse(Browse):
    """Remembers the batches of details that it was asked for."""

    def __init__(self, sources: Sequence[Source], snapshot: Snapshot, clock: Clock) -> None:
        super().__init__(sources, snapshot, clock)
        self.batches: list[list[ListingKey]] = []

    async def details(self, keys: Sequence[ListingKey], until_s: float) -> list[Answer]:
        """Answer, and remember what was asked for."""
        self.batches.append(list(keys))
        return await super().details(keys, until_s)


class Api:
    """An engine over shops, all of one profile; `faults` are what it masked."""

    def __init__(
        self, shops: Mapping[str, Mapping[Call, Answer]] | None = None, **profile: Any
    ) -> None:
        self.clock = VirtualClock()
        shops = TWO_SHOPS if shops is None else shops
        profiles = [shop(name, **profile) for name in shops]
        snapshot = Snapshot(profiles, Identities())
        self.shops = {
            provider: MemoryProvider(
                self.clock, answers, note_detail=partial(snapshot.set_detail, provider)
            )
            for provider, answers in shops.items()
        }
        sources = list(map(Source, profiles, self.shops.values()))
        self.browse = RecordedBrowse(sources, snapshot, self.clock)
        self.faults: list[BaseException] = []
        self.charged: list[int] = []
        self.cache = FailingCache(self.clock)
        self.engine = Engine(executor(), PersistedDocuments(self.cache), self.faults.append)

    def context(self, request_id: str = REQUEST_ID) -> Context:
        """Return the context of a new request."""
        until_s = self.clock.monotonic_s() + 2.5
        profiles = {profile.id: profile for profile in self.browse.profiles}
        load = DetailLoader(self.browse, until_s)
        return Context(
            self.browse,
            profiles,
            load,
            until_s,
            PageLimits(),
            request_id,
            self.clock.monotonic_s,
        )

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the body of the answer to a question."""
        return (await self.run(query, variables)).body

    async def run(
        self,
        query: str | None,
        variables: Mapping[str, Any] | None = None,
        sha256: str | None = None,
        operation_name: str | None = None,
    ) -> Answered:
        """Return the answer to a question, with what it was made from; see `charged`."""
        kinds = frozenset({"query", "mutation"})
        return await self.engine.run(
            query, sha256, variables or {}, operation_name, self.context, kinds, self._charge
        )

    async def _charge(self, cost: int, _: str) -> None:
        self.charged.append(cost)

    async def refusal(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Return the one error of a question that has one."""
        (error,) = (await self.ask(query, variables))["errors"]
        return error


def _shop(prefix: str, price: str) -> dict[Call, Answer]:
    own_id = f"{prefix}0076759"
    described: dict[str, Any] = {"title": "Star Wars", "year": 1977}
    return {
        LIST: fresh(row(own_id, **described)),
        Call(own_id): fresh(row(own_id, price=price, genres=("Action",), **described)),
    }


TWO_SHOPS = {"cinemaworld": _shop("cw", "123.5"), "filmworld": _shop("fw", "29.5")}
"""Both shops have one movie, and it is cheaper at filmworld."""
