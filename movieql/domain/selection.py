"""What a list of movies is narrowed to."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from movieql.domain.titles import search_text


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
