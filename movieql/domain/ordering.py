"""Where movies stand in an order, and cursors that say so."""

import base64
import binascii
import json
from decimal import Decimal
from typing import Any

from movieql.domain.errors import BadInputError
from movieql.domain.movies import MovieOrder

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
