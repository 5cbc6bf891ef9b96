"""What one request carries: the services, the end of its budget, its loader and its id."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from strawberry.types import Info

from movieql.api.facts import AnswerFacts
from movieql.api.keeping import KeptMovies
from movieql.api.loaders import DetailLoader
from movieql.domain.movies import Profile
from movieql.services.browse import Browse


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How many movies a page has: unless said otherwise, and at most."""

    default: int = 50
    highest: int = 200


@dataclass(frozen=True, slots=True)
class Context:
    """One request. `until_s`: the monotonic second at which it is answered with what is there."""

    browse: Browse
    profiles: Mapping[str, Profile]
    load: DetailLoader
    until_s: float
    page_limits: PageLimits
    request_id: str
    facts: AnswerFacts = field(default_factory=AnswerFacts)
    kept: KeptMovies | None = None

    def unkept(self) -> "Context":
        """Return the same context for an operation whose movies depend on variables."""
        return replace(self, kept=None)


ContextInfo = Info[Context, None]
"""What a resolver is handed."""
