"""Where movies stand in an order, and cursors that say so."""

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any, Generic, TypeVar

from movieql.domain.errors import BadInputError
from movieql.domain.movies import MovieOrder

CURSOR_CHARACTERS_MAX = 2_000
"""No cursor of ours is longer; a longer text is refused unread."""


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


_T = TypeVar("_T")


class Ordered(Generic[_T]):
    """Entries in an order, found by cursor in logarithmic time."""

    def __init__(
        self, entries: Iterable[_T], position: Callable[[_T], Position], order: MovieOrder
    ) -> None:
        pairs = [(sort_key(position(entry), order), entry) for entry in entries]
        pairs.sort(key=itemgetter(0))
        self._order = order
        self._keys = [key for key, _ in pairs]
        self.entries: Sequence[_T] = [entry for _, entry in pairs]

    def start(self, after: str | None) -> int:
        """Return where the entries behind a cursor begin. Raises BadInputError."""
        if after is None:
            return 0
        return bisect_right(self._keys, sort_key(_read_cursor(after, self._order), self._order))


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
