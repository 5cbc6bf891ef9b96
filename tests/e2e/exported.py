"""What an export of the captured shops has to have, and what a file of one has."""

import csv
import io
from decimal import Decimal

from movieql.dev.catalogues import captured

DIGITS = 7
"""How many digits the shops' own ids of one movie share."""


def sold() -> dict[tuple[str, str], Decimal]:
    """Return what the captured shops sell: price by provider and own id."""
    return {
        (shop, detail["ID"]): Decimal(detail["Price"])
        for shop, catalogue in captured().items()
        for detail in catalogue.movies.values()
    }


def captured_rows() -> set[tuple[str, ...]]:
    """Return the rows of an export: provider, own id, title, price, whether it is the cheapest."""
    titles = {
        own_id: detail["Title"]
        for catalogue in captured().values()
        for own_id, detail in catalogue.movies.items()
    }
    lowest: dict[str, Decimal] = {}
    for (_, own_id), price in sold().items():
        digits = own_id[-DIGITS:]
        lowest[digits] = min(price, lowest.get(digits, price))
    return {
        (
            shop,
            own_id,
            titles[own_id],
            str(price),
            "true" if price == lowest[own_id[-DIGITS:]] else "false",
        )
        for (shop, own_id), price in sold().items()
    }


def rows_of(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a file, by column."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
