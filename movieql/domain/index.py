"""All matched movies of one set of shelves, found by any id and sorted once per order."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

from movieql.domain.identities import Identified
from movieql.domain.movies import Listing, ListingKey, MovieOrder, Profile
from movieql.domain.ordering import Ordered, Position
from movieql.domain.titles import near_key, search_text, sort_key

VIEWS_MAX = 64
"""Sets of providers that an index keeps views for."""

_SORTED_CHARACTERS_MAX = 100  # of a title, so that the longest cursor is short enough


class IndexedMovie:
    """A matched movie with what filtering and ordering need of its list rows.

    `listings` are in the order in which their descriptive fields win. `near_duplicate`: another
    movie may be meant as this one, so neither's cheapest price is certain; see `Index`.
    """

    def __init__(
        self, movie_id: str, aliases: frozenset[str], listings: tuple[Listing, ...]
    ) -> None:
        self.near_duplicate = False
        self.id = movie_id
        self.aliases = aliases
        self.listings = listings
        self.providers = frozenset(listing.provider for listing in listings)
        descriptions = [listing.row.description for listing in listings]
        self.title = next((each.title for each in descriptions if each.title), None)
        self.year = next((each.year for each in descriptions if each.year is not None), None)
        self.sort_key = None if self.title is None else sort_key(self.title)
        self.search_text = "" if self.title is None else search_text(self.title)

    def position(self, order: MovieOrder) -> Position:
        """Return where the movie stands by title or year, which list rows tell."""
        if order.field == "year":
            return (self.year, self.id)
        title = self.sort_key
        return (None if title is None else title[:_SORTED_CHARACTERS_MAX], self.id)

    @property
    def years(self) -> frozenset[int]:
        """Return every year that a listing of the movie has."""
        years = (listing.row.description.year for listing in self.listings)
        return frozenset(year for year in years if year is not None)

    @classmethod
    def alone(cls, listing: Listing) -> "IndexedMovie":
        """Return a listing as if no other provider had the movie."""
        return cls("", frozenset(), (listing,))


class View:
    """The movies of an index as some providers tell them, sorted once per order.

    What others say of a movie must neither choose nor order it.
    """

    def __init__(self, movies: Iterable[IndexedMovie], providers: frozenset[str]) -> None:
        told = (_told_by(providers, movie) for movie in movies)
        self.movies = tuple(movie for movie in told if movie.listings)
        self._ordered: dict[MovieOrder, Ordered[IndexedMovie]] = {}

    def ordered(self, order: MovieOrder) -> Ordered[IndexedMovie]:
        """Return the movies by title or year."""
        if order not in self._ordered:
            self._ordered[order] = Ordered(self.movies, lambda each: each.position(order), order)
        return self._ordered[order]


def _told_by(providers: frozenset[str], movie: IndexedMovie) -> IndexedMovie:
    if movie.providers <= providers:
        return movie
    listings = tuple(each for each in movie.listings if each.provider in providers)
    told = IndexedMovie(movie.id, movie.aliases, listings)
    told.near_duplicate = movie.near_duplicate
    return told


class Index:
    """The movies of one revision of the shelves."""

    def __init__(self, identified: Iterable[Identified], profiles: Mapping[str, Profile]) -> None:
        self.movies = tuple(
            IndexedMovie(
                each.id,
                each.aliases,
                tuple(
                    sorted(
                        each.listings,
                        key=lambda listing: (profiles[listing.provider].priority, listing.key),
                    )
                ),
            )
            for each in identified
        )
        _mark_near_duplicates(self.movies, {each.id for each in profiles.values() if each.sells})
        self._views: dict[frozenset[str], View] = {}
        self._by_alias = {name: movie for movie in self.movies for name in movie.aliases}
        self._by_id = {movie.id: movie for movie in self.movies}

    @cached_property
    def _by_listing(self) -> dict[ListingKey, IndexedMovie]:
        return {listing.key: movie for movie in self.movies for listing in movie.listings}

    def told_by(self, providers: frozenset[str]) -> "View":
        """Return the movies as these providers tell them, made once for each set of providers."""
        if providers not in self._views:
            if len(self._views) >= VIEWS_MAX:
                self._views.clear()
            self._views[providers] = View(self.movies, providers)
        return self._views[providers]

    def find(self, movie_id: str) -> IndexedMovie | None:
        """Return the movie with this canonical id, else the one with this alias."""
        return self._by_id.get(movie_id) or self._by_alias.get(movie_id)

    def listing(self, key: ListingKey | None) -> IndexedMovie | None:
        """Return the movie that a listing is part of."""
        return None if key is None else self._by_listing.get(key)


def _mark_near_duplicates(movies: Iterable[IndexedMovie], selling: Collection[str]) -> None:
    """Mark movies of nearly one title, of one year or of none, that are sold by different shops.

    Each shop may mean the same movie, and then neither has the lowest price for certain. The same
    holds of a movie that a provider's contradicted row may mean as well.
    """
    alike: dict[str, list[IndexedMovie]] = defaultdict(list)
    meant: dict[str, set[int | None]] = defaultdict(set)
    for movie in movies:
        if movie.title is not None:
            alike[near_key(movie.title)].append(movie)
        for listing in movie.listings:
            for title, year in listing.row.also:
                meant[near_key(title or "")].add(year)
    for key, several in alike.items():
        if len(several) > 1:
            _mark_alike(several, frozenset(selling))
        for movie in several if key in meant else ():
            years = meant[key]
            movie.near_duplicate |= not movie.years or None in years or bool(movie.years & years)


def _mark_alike(movies: Sequence[IndexedMovie], selling: frozenset[str]) -> None:
    # There are few different sets of sellers, however many movies have one title.
    sellers: dict[int | None, set[frozenset[str]]] = defaultdict(set)
    for movie in movies:
        for year in movie.years or {None}:
            sellers[year].add(movie.providers & selling)
    everyone = set().union(*sellers.values())
    for movie in movies:
        rivals = (
            sellers[None].union(*(sellers[year] for year in movie.years))
            if movie.years
            else everyone
        )
        movie.near_duplicate = any(each and each.isdisjoint(movie.providers) for each in rivals)
