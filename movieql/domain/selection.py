"""What a list of movies is narrowed to, and cursors that say where one stands in an order."""

import base64
import binascii
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from movieql.domain.errors import BadInputError
from movieql.domain.movies import MovieOrder
from movieql.domain.titles import search_text

CURSOR_CHARACTERS_MAX = 2_000
"""No cursor of ours is longer; a longer text is refused unread."""


Position = tuple[Any, str]
"""Where a movie stands in an order: (its value, None where it has none; its canonical id)."""


def write_cursor(position: Position, order: MovieOrder) -> str:
    """Return an opaque text that says where a movie stands in an order."""
    value, movie_id = position
    shown = str(value) if isinstance(value, Decimal) else value
    body = json.dumps([_order_name(order), shown, movie_id], ensure_ascii=False)
    return base64.urlsafe_b64encode(body.encode(errors="surrogatepass")).decode().rstrip("=")


def _order_name(order: MovieOrder) -> str:
    return f"{order.field} {'desc' if order.descending else 'asc'}"


def read_cursor(cursor: str, order: MovieOrder) -> Position:
    """Return the place that a cursor of this order says. Raises BadInputError."""
    wrong = BadInputError(
        "`after` is not a cursor of this list: take `endCursor` or an edge's `cursor` of a page "
        "that was asked for with the same `orderBy`."
    )
    if len(cursor) > CURSOR_CHARACTERS_MAX:
        raise wrong
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name, value, movie_id = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if order.field == "price" and isinstance(value, str):
            value = Decimal(value)
    except (ValueError, TypeError, ArithmeticError, RecursionError, binascii.Error) as error:
        raise wrong from error
    kind = {"title": str, "year": int, "price": Decimal}[order.field]
    usable = value is None or (isinstance(value, kind) and not isinstance(value, bool))
    if isinstance(value, Decimal) and not value.is_finite():
        usable = False
    if name != _order_name(order) or not usable or not isinstance(movie_id, str):
        raise wrong
    return (value, movie_id)


@dataclass(frozen=True)
class MovieFilter:
    """What a list is narrowed to; every part that is given must hold.

    `title`: text within the title, without case, accents and signs. `year_from` and
    `year_to`, `price_from` and `price_to` are inclusive. `genre`: one of the movie's genres,
    without case. `providers`: only these are asked, and only their movies are listed. `ids`: of
    the movies to choose from; `Browse` takes any id of a movie, `View` only the canonical one.
    """

    title: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    genre: str | None = None
    price_from: Decimal | None = None
    price_to: Decimal | None = None
    providers: frozenset[str] | None = None
    ids: frozenset[str] | None = None

    @property
    def detail_fields(self) -> frozenset[str]:
        """Return the `Row` fields that the filter needs beyond title and year."""
        price = self.price_from is not None or self.price_to is not None
        return frozenset(({"genres"} if self.genre else set()) | ({"price"} if price else set()))

    @cached_property
    def title_forms(self) -> frozenset[str]:
        """Return the texts of which one has to be in a movie's search text; none: any will do."""
        return frozenset(filter(None, search_text(self.title or "").split("\n")))

    def admits_text(self, text: str) -> bool:
        """Return whether a search text has the title in it."""
        return not self.title_forms or any(form in text for form in self.title_forms)

    def admits_year(self, year: int | None) -> bool:
        """Return whether a year, None where it is not known, is within the years."""
        if self.year_from is None and self.year_to is None:
            return True
        return year is not None and _within(year, self.year_from, self.year_to)

    def admits_amount(self, amount: Decimal | None) -> bool:
        """Return whether a price, None where none is known, is within the prices."""
        if self.price_from is None and self.price_to is None:
            return True
        return amount is not None and _within(amount, self.price_from, self.price_to)


_Number = TypeVar("_Number", int, Decimal)


def _within(value: _Number, low: _Number | None, high: _Number | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)
