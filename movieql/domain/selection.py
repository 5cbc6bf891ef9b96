"""What a list of movies is narrowed to."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from movieql.domain.index import IndexedMovie
from movieql.domain.movies import Movie
from movieql.domain.titles import search_text


@dataclass(frozen=True)
class MovieFilter:
    """What a list is narrowed to; every part that is given must hold.

    `title`: text within the title, without case, accents and signs. `year_from` and
    `year_to`, `price_from` and `price_to` are inclusive. `genre`: one of the movie's genres,
    without case. `providers`: only these are asked, and only their movies are listed. `ids`:
    canonical ids of the movies to choose from; see `Browse.movies`.
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
    def _title_forms(self) -> frozenset[str]:
        return frozenset(filter(None, search_text(self.title or "").split("\n")))

    @property
    def asks_lists(self) -> bool:
        """Tell whether list rows alone can fail the filter."""
        return (
            self.ids is not None
            or bool(self.title)
            or self.year_from is not None
            or self.year_to is not None
        )

    def admits_listed(self, movie: IndexedMovie) -> bool:
        """Tell whether the list rows of a movie pass, as far as they say."""
        if self.ids is not None and movie.id not in self.ids:
            return False
        if self._title_forms and not any(form in movie.search_text for form in self._title_forms):
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
        amount = movie.lowest_amount
        return amount is not None and _within(amount, self.price_from, self.price_to)


_Number = TypeVar("_Number", int, Decimal)


def _within(value: _Number, low: _Number | None, high: _Number | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)
