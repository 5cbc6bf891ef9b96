"""What one request carries: the services, the end of its budget, its loader and its id."""

from collections.abc import Mapping
from dataclasses import dataclass

from strawberry.types import Info

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


ContextInfo = Info[Context, None]
"""What a resolver is handed."""
