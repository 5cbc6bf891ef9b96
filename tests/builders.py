"""Domain values for tests, each with as much said as the test cares about."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from movieql.domain.movies import Answer, Description, Listing, Profile, Row

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def row(own_id: str = "cw0076759", *, price: str | None = None, **described: Any) -> Row:
    """Return a row; `price` is a usable amount, `described` are fields of the description."""
    described.setdefault("title", "Star Wars")
    amount = None if price is None else Decimal(price)
    return Row(own_id, Description(**described), amount)


def listing(provider: str = "cinemaworld", own_id: str = "cw0076759", **described: Any) -> Listing:
    """Return a row on a provider's shelf."""
    return Listing(provider, row(own_id, **described))


def fresh(*rows: Row, until_s: float = 60.0) -> Answer:
    """Return a fresh answer with these rows."""
    return Answer(rows=rows, as_of=NOON, fresh=True, fresh_until_s=until_s, renew_s=until_s)


def shop(provider: str = "cinemaworld", **profile: Any) -> Profile:
    """Return the profile of a shop with IMDb ids, a list without prices, and details."""
    profile.setdefault("currency", "AUD")
    profile.setdefault("imdb_ids", True)
    profile.setdefault("detail_fields", frozenset({"price", "genres", "plot"}))
    return Profile(id=provider, name=provider.title(), **profile)
