"""Which movies of an index a question wants, in which order, and from where on."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from movieql.domain.errors import BadInputError
from movieql.domain.index import IndexedMovie
from movieql.domain.movies import Movie, MovieOrder
from movieql.domain.titles import normalised

CURSOR_CHARACTERS_MAX = 2_000
"""No cursor of ours is longer; a longer text is refused unread."""

_SORTED_CHARACTERS_MAX = 100  # of a title, so that the longest cursor is short enough


@dataclass(frozen=True, slots=True)
class MovieFilter:
    """What a list is narrowed to; every part that is given must hold.

    `title`: text within the title, without case, accents and punctuation. `year_from` and
    `year_to`, `price_from` and `price_to` are inclusive. `genre`: one of the movie's genres,
    without case. `providers`: only these are asked, and only their movies are listed.
    """

    title: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    genre: str | None = None
    price_from: Decimal | None = None
    price_to: Decimal | None = None
    providers: frozenset[str] | None = None

    @property
    def detail_fields(self) -> frozenset[str]:
        """Return the `Row` fields that the filter needs beyond title and year."""
        price = self.price_from is not None or self.price_to is not None
        return frozenset(({"genres"} if self.genre else set()) | ({"price"} if price else set()))

    def admits_listed(self, movie: IndexedMovie) -> bool:
        """Tell whether the list rows of a movie pass, as far as they say."""
        if self.title and normalised(self.title) not in (movie.title_key or ""):
            return False
        if self.year_from is None and self.year_to is None:
            return True
        return movie.year is not None and _within(movie.year, self.year_from, self.year_to)

    def admits(self, movie: Movie) -> bool:
        """Tell whether a merged movie passes what only details tell: genre and price."""
        if self.genre and self.genre.casefold() not in (
            genre.casefold() for genre in movie.genres
        ):
            return False
        if self.price_from is None and self.price_to is None:
            return True
        amount = _lowest_amount(movie)
        return amount is not None and _within(amount, self.price_from, self.price_to)


_Number = TypeVar("_Number", int, Decimal)


def _within(value: _Number, low: _Number | None, high: _Number | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)


def _lowest_amount(movie: Movie) -> Decimal | None:
    offer = movie.cheapest.offer
    return None if offer is None or offer.price is None else offer.price.amount


class _Descending:
    """A value that sorts before everything smaller than it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(other.value == self.value)

    __hash__ = None  # type: ignore[assignment]  # a sort key is never a dictionary key


Position = tuple[Any, str]
"""Where a movie stands in an order: (its value, None where it has none; its canonical id)."""


def sort_key(position: Position, order: MovieOrder) -> tuple[Any, ...]:
    """Return a key that sorts positions by value, missing ones last, then by id."""
    value, movie_id = position
    if value is None:
        return (1, 0, movie_id)
    return (0, _Descending(value) if order.descending else value, movie_id)


def listed_position(movie: IndexedMovie, order: MovieOrder) -> Position:
    """Return where a movie stands by title or year, which list rows tell."""
    if order.field == "year":
        return (movie.year, movie.id)
    title = movie.title_key
    return (None if title is None else title[:_SORTED_CHARACTERS_MAX], movie.id)


def priced_position(movie: Movie) -> Position:
    """Return where a movie stands by price."""
    return (_lowest_amount(movie), movie.id)


_T = TypeVar("_T")


def page_after(
    entries: Iterable[_T],
    position: Callable[[_T], Position],
    order: MovieOrder,
    after: str | None,
) -> Sequence[_T]:
    """Sort entries and return those behind the cursor, all of them without one."""
    in_order = sorted(entries, key=lambda entry: sort_key(position(entry), order))
    if after is None:
        return in_order
    reached = sort_key(_read_cursor(after, order), order)
    return [entry for entry in in_order if reached < sort_key(position(entry), order)]


def write_cursor(position: Position, order: MovieOrder) -> str:
    """Return an opaque text that says where a movie stands in an order."""
    value, movie_id = position
    shown = str(value) if isinstance(value, Decimal) else value
    body = json.dumps([_order_name(order), shown, movie_id], ensure_ascii=False)
    return base64.urlsafe_b64encode(body.encode(errors="surrogatepass")).decode().rstrip("=")


def _order_name(order: MovieOrder) -> str:
    return f"{order.field} {'desc' if order.descending else 'asc'}"


def _read_cursor(cursor: str, order: MovieOrder) -> Position:
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
