"""What one request carries: services, the end of its budget, its loader, and what it notes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from strawberry.dataloader import DataLoader
from strawberry.types import Info

from movieql.api.export_watching import ExportWatch
from movieql.domain.callers import Caller
from movieql.domain.errors import BadInputError
from movieql.domain.movies import Answer, ListingKey, Profile, SourceReport, worst
from movieql.movies.browse import Browse
from movieql.services.additions import Additions
from movieql.services.entries import HouseEntries
from movieql.services.exports import ExportRules, Exports
from movieql.services.price_history import PriceHistory

if TYPE_CHECKING:
    from movieql.api.execution import KeptMovies


class AnswerFacts:
    """Collected while one operation runs.

    `sources`: the worst report per provider of everything asked, by provider. `fresh_until_s`:
    the monotonic second of the earliest freshness change; infinite when no provider was needed.
    `renew_s`: the one from which something has to be asked for, so that it is refreshed ahead.
    `complete`: whether every provider that was not left out answered freshly, and nothing was
    asked that changes on its own; no other answer is kept, here or anywhere. `waits_shown`: how
    many waits for a provider were written into it, which are shorter in the next answer.
    """

    def __init__(self) -> None:
        self.sources: dict[str, SourceReport] = {}
        self.fresh_until_s = float("inf")
        self.renew_s = float("inf")
        self.complete = True
        self.waits_shown = 0

    def note(
        self,
        sources: Iterable[SourceReport],
        fresh_until_s: float,
        renew_s: float,
        *,
        complete: bool,
    ) -> None:
        """Add what one root field was made from."""
        for report in sources:
            known = self.sources.get(report.provider)
            self.sources[report.provider] = worst((known, report)) if known else report
        self.fresh_until_s = min(self.fresh_until_s, fresh_until_s)
        self.renew_s = min(self.renew_s, renew_s)
        self.complete &= complete

    def keep_nothing(self) -> None:
        """Let the answer not be kept: it has what is true only now, or for this caller."""
        self.note((), float("-inf"), float("-inf"), complete=False)

    @property
    def waited(self) -> bool:
        """Tell whether the answer had to wait for a provider, so that its latencies say so."""
        return any(report.latency_ms for report in self.sources.values())


class DetailLoader:
    """Details by (provider, own id), over what is kept across requests.

    Strawberry's loader is only touched here: when a field fails, graphql-core cancels its
    siblings, and an unshielded `.load` would cancel the future that others wait for.
    """

    def __init__(self, browse: Browse, until_s: float) -> None:
        async def load(keys: list[ListingKey]) -> list[Answer]:
            return await browse.details(keys, until_s)

        self._browse = browse
        # What was fresh when it was first asked for stays so for the rest of the request.
        self._answers: dict[ListingKey, Answer] = {}
        self._loader: DataLoader[ListingKey, Answer] = DataLoader(load_fn=load)

    async def __call__(self, keys: Sequence[ListingKey]) -> Mapping[ListingKey, Answer]:
        """Return an answer for every key; see `ports.DetailLoad`."""
        answers = self._answers
        unknown = [key for key in keys if key not in answers]
        answers |= self._browse.kept_details(unknown)
        missing = [key for key in unknown if key not in answers]
        if missing:
            loaded = await asyncio.gather(
                *(asyncio.shield(self._loader.load(key)) for key in missing)
            )
            answers |= zip(missing, loaded, strict=True)
        return {key: answers[key] for key in keys}


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How many movies a page has: unless said otherwise, and at most."""

    default: int = 50
    highest: int = 200


@dataclass(frozen=True, slots=True)
class ExportLimits:
    """Counts that are told or taken where a caller says none.

    `page_default`: exports of a page. `open_max`: as in `ExportRules`, which enforces it.
    """

    page_default: int = 20
    open_max: int = ExportRules().open_max


@dataclass(frozen=True, slots=True)
class Context:
    """One request. `until_s`: the monotonic second at which it is answered with what is there.

    `caller`: who a verified token speaks for, None without one. `catalogue`: None where this
    server has no house catalogue; `additions`: None where it posts no movies. `exports` and
    `export_watch`: None where it makes none. `history`: None where it has no store.
    `history_points_max`: earlier prices of one movie. `monotonic_s`: the clock that `until_s` and
    moments in errors are on.
    """

    browse: Browse
    profiles: Mapping[str, Profile]
    load: DetailLoader
    until_s: float
    page_limits: PageLimits
    request_id: str
    monotonic_s: Callable[[], float]
    facts: AnswerFacts = field(default_factory=AnswerFacts)
    kept: "KeptMovies | None" = None
    caller: Caller | None = None
    catalogue: HouseEntries | None = None
    additions: Additions | None = None
    exports: Exports | None = None
    export_watch: ExportWatch | None = None
    export_limits: ExportLimits = ExportLimits()
    history: PriceHistory | None = None
    history_points_max: int = 50

    def waiting(self, max_wait_ms: int | None) -> "Context":
        """Return the same context for a field that waits no longer. Raises BadInputError."""
        if max_wait_ms is None:
            return self
        if max_wait_ms < 0:
            raise BadInputError(f"`maxWaitMs` takes 0 and more; got {max_wait_ms}.")
        until_s = min(self.until_s, self.monotonic_s() + max_wait_ms / 1000)
        return replace(self, until_s=until_s, load=DetailLoader(self.browse, until_s))

    def unkept(self) -> "Context":
        """Return the same context for an operation whose movies depend on variables."""
        return replace(self, kept=None)


ContextInfo = Info[Context, None]
"""What a resolver is handed."""
