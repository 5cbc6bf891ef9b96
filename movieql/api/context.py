"""What one request carries: the services, the end of its budget, its loader and its id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from strawberry.types import Info

from movieql.api.export_watching import ExportWatch
from movieql.api.facts import AnswerFacts
from movieql.api.keeping import KeptMovies
from movieql.api.loaders import DetailLoader
from movieql.domain.callers import Caller
from movieql.domain.errors import BadInputError
from movieql.domain.movies import Profile
from movieql.movies.browse import Browse
from movieql.services.additions import Additions
from movieql.services.entries import HouseEntries
from movieql.services.exports import ExportRules, Exports
from movieql.services.price_history import PriceHistory


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
    kept: KeptMovies | None = None
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
