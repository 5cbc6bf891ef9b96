"""A matched movie as providers list it, with what filters and orders need of the lists."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from movieql.domain.movies import Listing, ListingKey, Movie, Profile, Row
from movieql.domain.titles import near_key, search_text, sort_key


class ListedMovie:
    """Listings that are one movie, in the order in which their descriptive fields win.

    `near_duplicate`: another movie may be meant as this one, so nothing of it is final. `also`:
    near keys and years of what its contradicted listings may mean instead.
    `values`: the merged movie by what it was merged from, for whoever merges it.
    """

    __slots__ = (
        "aliases", "also", "id", "listings", "near_duplicate", "near_key", "providers",
        "search_text", "sort_key", "title", "values", "year", "years",
    )  # fmt: skip

    def __init__(
        self,
        movie_id: str,
        aliases: frozenset[str],
        listings: Sequence[Listing],
        *,
        near_duplicate: bool = False,
    ) -> None:
        self.id = movie_id
        self.aliases = aliases
        self.listings = tuple(listings)
        self.near_duplicate = near_duplicate
        self.title = self.year = None
        years = []
        also: set[tuple[str, int | None]] = set()
        for listing in listings:
            description = listing.row.description
            self.title = self.title or description.title or None
            if description.year is not None:
                years.append(description.year)
            also.update((near_key(title), year) for title, year in listing.row.also if title)
        self.also = frozenset(also)
        self.year = years[0] if years else None
        self.years = frozenset(years)
        self.providers = frozenset([listing.provider for listing in listings])
        self.sort_key = None if self.title is None else sort_key(self.title)
        self.search_text = "" if self.title is None else search_text(self.title)
        self.near_key = None if self.title is None else near_key(self.title)
        self.values: dict[Any, tuple[Any, Movie]] = {}

    def restricted_to(self, providers: frozenset[str]) -> "ListedMovie | None":
        """Return the movie as only these providers list it, None when they do not."""
        if self.providers <= providers:
            return self
        listings = [each for each in self.listings if each.provider in providers]
        if not listings:
            return None
        return ListedMovie(self.id, self.aliases, listings, near_duplicate=self.near_duplicate)

    def amount(
        self, profiles: Mapping[str, Profile], details: Mapping[ListingKey, Row]
    ) -> Decimal | None:
        """Return the lowest price that is known, whatever its age; None when none is."""
        amounts = []
        for listing in self.listings:
            profile = profiles[listing.provider]
            row = details.get(listing.key) if "price" in profile.detail_fields else listing.row
            if profile.sells and row is not None and row.amount is not None:
                amounts.append(row.amount)
        return min(amounts, default=None)

    def genres(self, details: Mapping[ListingKey, Row]) -> frozenset[str]:
        """Return the movie's genres in lower case, as far as they are known."""
        for listing in self.listings:
            for row in (listing.row, details.get(listing.key)):
                if row is not None and row.description.genres:
                    return frozenset(each.casefold() for each in row.description.genres)
        return frozenset()
