"""All matched movies of one set of shelves, found by any id and sorted once per order."""

from collections.abc import Iterable, Mapping

from movieql.domain.identities import Identified
from movieql.domain.movies import Listing, Profile
from movieql.domain.titles import normalised


class IndexedMovie:
    """A matched movie with what filtering and ordering need of its list rows.

    `listings` are in the order in which their descriptive fields win.
    """

    def __init__(
        self, movie_id: str, aliases: frozenset[str], listings: tuple[Listing, ...]
    ) -> None:
        self.id = movie_id
        self.aliases = aliases
        self.listings = listings
        self.providers = frozenset(listing.provider for listing in listings)
        descriptions = [listing.row.description for listing in listings]
        self.title = next((each.title for each in descriptions if each.title), None)
        self.year = next((each.year for each in descriptions if each.year is not None), None)
        self.title_key = None if self.title is None else normalised(self.title)

    @classmethod
    def alone(cls, listing: Listing) -> "IndexedMovie":
        """Return a listing as if no other provider had the movie."""
        return cls("", frozenset(), (listing,))


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
        self._by_alias = {name: movie for movie in self.movies for name in movie.aliases}
        self._by_id = {movie.id: movie for movie in self.movies}

    def find(self, movie_id: str) -> IndexedMovie | None:
        """Return the movie with this canonical id, else the one with this alias."""
        return self._by_id.get(movie_id) or self._by_alias.get(movie_id)
